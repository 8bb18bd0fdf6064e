//! `--jq`: an expression of jq, run by jaq.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::Value;

use crate::exit::Failure;

/// What the expression makes of a value.
pub(super) fn run(expression: &str, value: &Value) -> anyhow::Result<Vec<Value>> {
    let wrong = |problem: String| Failure::Usage {
        message: format!("--jq: `{expression}` {problem}"),
        hint: Some("write it as for jq, for instance --jq '.[].model'".to_owned()),
    };
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let program = File { code: expression, path: () };
    let modules = Loader::new(definitions)
        .load(&arena, program)
        .map_err(|_errors| wrong("cannot be understood".to_owned()))?;
    let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
        let names = errors.iter().flat_map(|(_, errors)| errors).map(|(name, _)| format!("`{name}`"));
        wrong(format!("names what is not known: {}", names.collect::<Vec<_>>().join(", ")))
    })?;
    let input = read::parse_single(value.to_string().as_bytes())?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let outputs = filter.id.run((context, input)).map(unwrap_valr);
    outputs
        .map(|output| {
            let output = output.map_err(|error| wrong(format!("fails: {error}")))?;
            Ok(serde_json::from_str(&output.to_string())?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::run;

    #[test]
    fn expressions_select_and_compute() {
        let rows = json!([{"model": "a", "n": 1.5}, {"model": "b", "n": 2}]);
        assert_eq!(run(".[].model", &rows).unwrap(), [json!("a"), json!("b")]);
        assert_eq!(run("map(.n) | add", &rows).unwrap(), [json!(3.5)]);
        assert_eq!(run(r#".[] | select(.model == "b") | {n}"#, &rows).unwrap(), [json!({"n": 2})]);
    }

    #[test]
    fn wrong_ones_are_named() {
        let problem = |expression: &str| run(expression, &json!([])).unwrap_err().to_string();
        assert!(problem(".[").contains("cannot be understood"), "{}", problem(".["));
        assert!(problem("nosuch").contains("nosuch"), "{}", problem("nosuch"));
        assert!(problem("1 + {}").contains("fails"), "{}", problem("1 + {}"));
    }
}
