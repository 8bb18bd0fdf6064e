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
