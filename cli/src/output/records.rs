//! JSON as flat records: what CSV, chosen fields and names are made of.

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::exit::Failure;

/// A record: the names of its fields, with dots between those of nested ones, and their values.
pub(super) type Record = Vec<(String, String)>;

/// What names a thing, the most telling first.
const NAMES: [&str; 7] = ["result_id", "id", "run_id", "model", "instance_type", "name", "sha256"];

/// One record for each element of a list, one for anything else.
pub(super) fn of(value: &Value) -> Vec<Record> {
    let flat = |value: &Value| {
        let mut record = Record::new();
        flatten("", value, &mut record);
        record
    };
    match value {
        Value::Array(values) => values.iter().map(flat).collect(),
        value => vec![flat(value)],
    }
}

fn flatten(name: &str, value: &Value, record: &mut Record) {
    let inner = |field: &str| if name.is_empty() { field.to_owned() } else { format!("{name}.{field}") };
    match value {
        // A value that may be absent is one column: empty, where there is none.
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("absent") => {
            record.push((name.to_owned(), String::new()));
        }
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("value") => {
            flatten(name, &fields["value"], record);
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(field, value)| flatten(&inner(field), value, record));
        }
        Value::Array(values) if values.iter().all(|value| !value.is_object() && !value.is_array()) => {
            record.push((name.to_owned(), values.iter().map(scalar).collect::<Vec<_>>().join(" ")));
        }
        value => record.push((name.to_owned(), scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Every name that occurs, in the order of the chosen fields, or else of its first occurrence.
pub(super) fn head<'a>(records: &'a [Record], fields: &[String]) -> Vec<&'a str> {
    let mut head: Vec<&str> = Vec::new();
    for (name, _) in records.iter().flatten() {
        if !head.contains(&name.as_str()) {
            head.push(name);
        }
    }
    let is_of = |name: &str, field: &str| {
        name.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    head.sort_by_key(|name| fields.iter().position(|field| is_of(name, field)));
    head
}

/// The values under `head`.
pub(super) fn line<'a>(record: &'a Record, head: &[&str]) -> Vec<&'a str> {
    let value = |name: &&str| record.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
    head.iter().map(value).collect()
}

/// Records with their head. What a spreadsheet would take for a formula is made a text.
pub(super) fn csv(records: &[Record], fields: &[String]) -> anyhow::Result<String> {
    let head = head(records, fields);
    if head.is_empty() {
        return Ok(String::new());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&head)?;
    for record in records {
        let cells = line(record, &head).into_iter().map(|text| {
            let is_formula = text.starts_with(['=', '+', '-', '@', '\t']) && text.parse::<f64>().is_err();
            if is_formula { format!("'{text}") } else { text.to_owned() }
        });
        writer.write_record(cells)?;
    }
    let bytes = writer.into_inner().context("the CSV cannot be written")?;
    Ok(String::from_utf8(bytes)?)
}

/// What names each element of a list, or the value itself.
pub(super) fn names(value: &Value) -> Vec<String> {
    let name = |value: &Value| match value {
        Value::Object(fields) => NAMES.iter().find_map(|name| fields.get(*name)).map(scalar),
        other => Some(scalar(other)),
    };
    match value {
        Value::Array(values) => values.iter().filter_map(name).collect(),
        value => name(value).into_iter().collect(),
    }
}

/// The value, or every element of a list, with these fields alone.
pub(super) fn choose(value: Value, fields: &[String]) -> anyhow::Result<Value> {
    if fields.is_empty() {
        return Ok(value);
    }
    match value {
        Value::Array(values) => values.into_iter().map(|value| pick(&value, fields)).collect(),
        value => pick(&value, fields),
    }
}

fn pick(value: &Value, fields: &[String]) -> anyhow::Result<Value> {
    let mut picked = Map::new();
    for field in fields {
        let found = field.split('.').try_fold(value, |value, name| value.get(name)).ok_or_else(|| {
            let known = value.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>().join(", "));
            Failure::Usage {
                message: format!("--json: there is no field `{field}`"),
                hint: known.map(|known| format!("the fields are {known}")),
            }
        })?;
        picked.insert(field.clone(), found.clone());
    }
    Ok(Value::Object(picked))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{choose, csv, names, of};

    #[test]
    fn csv_has_the_names_of_the_json_and_starts_no_formula() {
        let value = json!([
            {"id": "a", "metrics": {"ttft_p95_ms": 1.5}, "price": {"value": 2}, "tags": ["x", "y"]},
            {"id": "=b", "price": {"absent": "no offer"}, "more, of it": "said \"so\""},
        ]);
        insta::assert_snapshot!(csv(&of(&value), &[]).unwrap(), @r#"
        id,metrics.ttft_p95_ms,price,tags,"more, of it"
        a,1.5,2,x y,
        '=b,,,,"said ""so"""
        "#);
        assert_eq!(csv(&of(&json!([])), &[]).unwrap(), "");
    }

    #[test]
    fn fields_are_chosen_by_their_paths() {
        let rows = json!([{"id": "a", "spec": {"model": "m"}, "n": 1}]);
        let fields = ["spec.model".to_owned(), "n".to_owned()];
        assert_eq!(choose(rows.clone(), &fields).unwrap(), json!([{"spec.model": "m", "n": 1}]));
        let error = choose(rows, &["nosuch".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("no field `nosuch`"), "{error}");
    }

    #[test]
    fn chosen_fields_keep_their_order() {
        let rows = json!([{"a": 1, "b": {"y": 2, "x": 3}}]);
        let text = csv(&of(&rows), &["b".to_owned(), "a".to_owned()]).unwrap();
        assert_eq!(text, "b.x,b.y,a\n3,2,1\n");
    }

    #[test]
    fn a_thing_is_named_by_its_id() {
        assert_eq!(names(&json!([{"model": "m", "id": "r"}, {"model": "m"}, "x"])), ["r", "m", "x"]);
        assert_eq!(names(&json!({"result_id": "r", "run_id": "s"})), ["r"]);
    }
}
