use std::fs;
use std::path::PathBuf;

use self::scenarios::{Scenario, scenarios};

mod rules;
mod scenarios;

/// A snapshot for each scenario, as a person would get it.
#[test]
fn manifests_are_as_they_were() {
    for Scenario { name, manifests } in scenarios() {
        let shown: Vec<_> = manifests.iter().map(super::Manifest::elided).collect();
        insta::assert_yaml_snapshot!(name, shown);
    }
}

/// Writes the manifests, one file for each (JSON is YAML), for `tests/cluster/validate-manifests`.
#[test]
fn manifests_are_written_where_they_are_to_be_validated() {
    let Some(folder) = std::env::var_os("ACCELBENCH_WRITE_MANIFESTS").map(PathBuf::from) else { return };
    for Scenario { name, manifests } in scenarios() {
        for (index, manifest) in manifests.iter().enumerate() {
            let file = folder.join(format!("{name}-{index}-{}.yaml", manifest.kind().to_lowercase()));
            fs::write(file, serde_json::to_string_pretty(&manifest.to_value()).unwrap()).unwrap();
        }
    }
}
