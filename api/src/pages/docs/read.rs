//! What a person wants to know of the document, out of its JSON.

use serde_json::{Map, Value};

/// The operations under one tag.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) operations: Vec<Operation>,
}

pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) parameters: Vec<Field>,
    pub(super) body: Option<Kind>,
    pub(super) answers: Vec<Answer>,
}

pub(super) struct Answer {
    pub(super) status: String,
    pub(super) about: String,
    pub(super) kind: Option<Kind>,
}

/// A parameter, or a field of a schema.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) is_required: bool,
    pub(super) kind: Kind,
    pub(super) about: String,
}

/// A type in words, and the schema behind it.
pub(super) struct Kind {
    pub(super) words: String,
    pub(super) schema: Option<String>,
}

/// A named schema.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) kind: Kind,
    pub(super) fields: Vec<Field>,
}

pub(super) fn parts(document: &Value) -> Vec<Part> {
    let operations = |tag: &str| -> Vec<Operation> {
        let paths = document["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, it)| (path, method, it))
        });
        all.filter(|(_, _, it)| it["tags"][0] == tag)
            .map(|(path, method, it)| operation(path, method, it))
            .collect()
    };
    let part = |tag: &Value| {
        let name = text(&tag["name"]);
        Part { operations: operations(&name), about: text(&tag["description"]), name }
    };
    document["tags"].as_array().into_iter().flatten().map(part).collect()
}

pub(super) fn schemas(document: &Value) -> Vec<Described> {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let described = |(name, schema): (&String, &Value)| Described {
        name: name.clone(),
        about: text(&schema["description"]),
        kind: kind(schema),
        fields: fields(schema),
    };
    schemas.map(described).collect()
}

fn operation(path: &str, method: &str, it: &Value) -> Operation {
    let parameters = it["parameters"].as_array().into_iter().flatten().map(|parameter| Field {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        is_required: parameter["required"] == true,
        kind: kind(&parameter["schema"]),
        about: text(&parameter["description"]),
    });
    let answers = it["responses"].as_object().into_iter().flatten().map(|(status, answer)| Answer {
        status: status.clone(),
        about: text(&answer["description"]),
        kind: content(&answer["content"]),
    });
    Operation {
        id: text(&it["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&it["summary"]),
        description: text(&it["description"]),
        parameters: parameters.collect(),
        body: content(&it["requestBody"]["content"]),
        answers: answers.collect(),
    }
}

fn content(content: &Value) -> Option<Kind> {
    let (media, described) = content.as_object()?.iter().next()?;
    let plain = || Kind { words: media.clone(), schema: None };
    Some(described.get("schema").map_or_else(plain, kind))
}

fn fields(schema: &Value) -> Vec<Field> {
    let is_required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let field = |(name, property): (&String, &Value)| Field {
        name: name.clone(),
        place: String::new(),
        is_required: is_required(name),
        kind: kind(property),
        about: text(&property["description"]),
    };
    schema["properties"].as_object().into_iter().flatten().map(field).collect()
}

/// A schema in words: a name, a list of words, or alternatives.
fn kind(schema: &Value) -> Kind {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return Kind { words: name.to_owned(), schema: Some(name.to_owned()) };
    }
    if let Some(either) = ["oneOf", "anyOf"].into_iter().find_map(|word| schema[word].as_array()) {
        let kinds: Vec<Kind> = either.iter().map(kind).collect();
        let words: Vec<&str> = kinds.iter().map(|kind| kind.words.as_str()).collect();
        return Kind { words: words.join(" or "), schema: kinds.iter().find_map(|kind| kind.schema.clone()) };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(text).collect();
        return Kind { words: words.join(" or "), schema: None };
    }
    if schema["type"] == "array" {
        let Kind { words, schema } = kind(&schema["items"]);
        return Kind { words: format!("list of {words}"), schema };
    }
    Kind { words: plain(schema), schema: None }
}

fn plain(schema: &Value) -> String {
    match (&schema["const"], &schema["type"], schema["properties"].as_object()) {
        (Value::String(word), ..) => word.clone(),
        (_, Value::Array(kinds), _) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        (_, _, Some(properties)) if properties.len() <= 3 => format!("{{{}}}", names(properties)),
        (_, Value::String(kind), _) => kind.clone(),
        _ => "any".to_owned(),
    }
}

fn names(properties: &Map<String, Value>) -> String {
    properties.keys().cloned().collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::kind;

    #[test]
    fn schemas_are_told_in_words() {
        let run = json!({"$ref": "#/components/schemas/Run"});
        for (schema, words, name) in [
            (run.clone(), "Run", Some("Run")),
            (json!({"type": ["string", "null"]}), "string or null", None),
            (json!({"type": "array", "items": run}), "list of Run", Some("Run")),
            (json!({"anyOf": [run, {"type": "null"}]}), "Run or null", Some("Run")),
            (json!({"enum": ["ascending", "descending"]}), "ascending or descending", None),
            (json!({"type": "object", "properties": {"value": {}}}), "{value}", None),
            (json!(true), "any", None),
        ] {
            let told = kind(&schema);
            assert_eq!((told.words.as_str(), told.schema.as_deref()), (words, name), "{schema}");
        }
    }
}
