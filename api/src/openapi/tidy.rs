//! What the library leaves otherwise than whoever reads the document wants it.

use serde_json::{Value, json};

pub(super) fn tidied(mut document: Value) -> Value {
    let Some(paths) = document["paths"].as_object_mut() else { return document };
    // The rest of an address is a part of it like any other for who fills it in.
    *paths = std::mem::take(paths).into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    for item in paths.values_mut() {
        if let Some(responses) = item.get_mut("get").and_then(|get| get["responses"].as_object_mut()) {
            responses.insert("304".to_owned(), json!({"description": "It is as the given ETag says."}));
        }
    }
    prune(&mut document);
    document
}

/// Takes out the schemas that nothing speaks of: those whose fields became parameters.
fn prune(document: &mut Value) {
    loop {
        let text = document.to_string();
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        if schemas.len() == before {
            return;
        }
    }
}
