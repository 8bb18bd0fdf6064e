use std::collections::HashSet;
use std::{env, fs};

use serde_json::Value;

use super::{document, text};

/// Renewed by `make openapi`.
#[test]
fn the_committed_document_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    if env::var_os("ACCELBENCH_WRITE_OPENAPI").is_some() {
        fs::write(path, text()).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap();
    assert!(committed == text(), "docs/openapi.json is not what the handlers say: run `make openapi`");
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, it)| (format!("{method} {path}"), it.clone()))
    });
    all.collect()
}

#[test]
fn every_operation_is_named_once_and_says_what_it_answers() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = HashSet::new();
    for (place, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place}: {responses:?}");
        assert!(responses.contains_key("4XX") && responses.contains_key("5XX"), "{place}");
        let in_path = place.matches('{').count();
        let named =
            operation["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "path").count();
        assert_eq!(in_path, named, "{place}");
    }
}

#[test]
fn every_schema_that_is_spoken_of_is_there() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    let spoken = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    for name in spoken {
        assert!(schemas.contains_key(name), "{name}");
    }
}
