// Checks objects (JSON on stdin) against Karpenter's types: the compiler finds keys that are not there, the validators
// find values of a wrong form. Prints one line for each problem. Runs in the folder where the packages are.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const objects = JSON.parse(readFileSync(0, "utf8"));
const module_of = ({ apiVersion, kind }) => `@kubernetes-models/karpenter/${apiVersion}/${kind}`;
const problems = [];

for (const object of objects) {
  const { [object.kind]: Model } = await import(module_of(object));
  try {
    new Model(object).validate();
  } catch (error) {
    problems.push(`${object.kind}/${object.metadata.name}: ${error.message}`);
  }
}

const lines = objects.map((object, index) =>
  `import type { I${object.kind} as I${index} } from "${module_of(object)}";\n` +
  `export const object_${index}: I${index} = ${JSON.stringify(object)};`);
const source = join(process.cwd(), `objects-${process.pid}.mts`);
writeFileSync(source, lines.join("\n"));
const program = ts.createProgram([source], {
  module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noEmit: true, skipLibCheck: true, strict: true, types: [],
});
for (const { messageText, start, file } of ts.getPreEmitDiagnostics(program)) {
  const line = file ? file.getLineAndCharacterOfPosition(start).line : 0;
  const object = objects[Math.floor(line / 2)];
  problems.push(`${object.kind}/${object.metadata.name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
}
ts.sys.deleteFile(source);
console.log(problems.join("\n"));
