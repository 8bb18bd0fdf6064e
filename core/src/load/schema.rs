//! The JSON schema of a report, made from its types and their documentation. The file beside this crate is what other
//! programs read; a test holds it against the types, and real reports against it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::LoadReport;

/// The schema of [`LoadReport`] as it is written, by JSON Schema 2020-12.
#[must_use]
pub fn report_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<LoadReport>().into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::report_schema;
    use crate::load::examples::{plan, report};
    use crate::observed::Observed;

    fn committed() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("load-report.schema.json")
    }

    #[test]
    fn the_committed_schema_is_that_of_the_types() {
        let made = serde_json::to_string_pretty(&report_schema()).unwrap() + "\n";
        if std::env::var_os("ACCELBENCH_WRITE_SCHEMA").is_some() {
            fs::write(committed(), &made).unwrap();
        }
        let found = fs::read_to_string(committed()).unwrap();
        assert!(found == made, "core/load-report.schema.json is out of date: run `make schema`");
    }

    #[test]
    fn reports_are_valid_and_damaged_ones_are_not() {
        let schema: Value = serde_json::from_str(&fs::read_to_string(committed()).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut report = report(&plan(), 0);
        report.accelerator_power_w = Observed::Value(312.0);
        let json = serde_json::to_value(&report).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        for field in ["ttft_ms", "estimates", "time_series", "checks", "offered_load"] {
            let mut damaged = json.clone();
            damaged[field] = Value::from("nothing");
            assert!(!validator.is_valid(&damaged), "{field}");
            damaged.as_object_mut().unwrap().remove(field);
            assert!(!validator.is_valid(&damaged), "{field} is missing");
        }
    }
}
