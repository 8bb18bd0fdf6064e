//! What requests can name: instance types, datasets.

use accelbench_core::instance::InstanceType;
use accelbench_store::datasets::StoredDataset;
use chrono::Utc;
use comfy_table::Table;
use serde_json::Value;

use super::{age, plain, right_align};

/// Instance types, one a line.
pub(crate) fn instances(instances: &[InstanceType]) -> Table {
    let mut table =
        plain(&["instance type", "accelerators", "each GiB", "GB/s", "bf16 TFLOP/s", "vCPU", "memory GiB"]);
    let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    for instance in instances {
        let name = instance.accelerator_name.as_deref().unwrap_or("-");
        let accelerators = match instance.accelerator_count {
            Some(count) => format!("{count} x {name}"),
            None => name.to_owned(),
        };
        table.add_row([
            instance.instance_type.to_string(),
            accelerators,
            number(instance.accelerator_memory_gib),
            number(instance.accelerator_bandwidth_gb_per_s),
            number(instance.accelerator_bf16_tflops),
            number(instance.vcpu.map(f64::from)),
            number(instance.memory_gib),
        ]);
    }
    right_align(&mut table, 2..7);
    table
}

/// Datasets, one a line.
pub(crate) fn datasets(datasets: &[StoredDataset]) -> Table {
    let mut table = plain(&["dataset", "prompts", "KiB", "age", "by", "sha256"]);
    for dataset in datasets {
        table.add_row([
            dataset.name.to_string(),
            dataset.prompt_count.to_string(),
            dataset.size_bytes.div_ceil(1024).to_string(),
            age((Utc::now() - dataset.added_at).num_seconds()),
            dataset.submitted_by.clone().unwrap_or_else(|| "-".to_owned()),
            dataset.sha256.to_string(),
        ]);
    }
    right_align(&mut table, 1..4);
    table
}

/// Facts, one a line: their names as in JSON, with dots between those of nested ones.
pub(crate) fn facts(value: &Value) -> String {
    let mut lines = Vec::new();
    collect("", value, &mut lines);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default() + 2;
    let lines = lines.iter().map(|(name, text)| format!("{name:<width$}{text}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn collect(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let inner = |field: &str| if name.is_empty() { field.to_owned() } else { format!("{name}.{field}") };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Null => {}
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("value") => {
            collect(name, &fields["value"], lines);
        }
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("absent") => {
            lines.push((name.to_owned(), format!("- ({})", text(&fields["absent"]))));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(field, value)| collect(&inner(field), value, lines));
        }
        Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => {
            lines.push((name.to_owned(), format!("{} entries; --output json has them", values.len())));
        }
        Value::Array(values) => {
            lines.push((name.to_owned(), values.iter().map(text).collect::<Vec<_>>().join(", ")));
        }
        other => lines.push((name.to_owned(), text(other))),
    }
}
