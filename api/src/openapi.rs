//! The document that describes the REST API. What an operation takes and answers is read off the types of its handler, so
//! that the document cannot say otherwise; `docs/openapi.json` is a copy of it for readers without a server.

use std::sync::LazyLock;

use aide::openapi::{Info, License, OpenApi, Tag};
use aide::transform::{TransformOpenApi, TransformOperation};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::rest;

mod inputs;
mod outputs;
mod tidy;

pub(crate) use outputs::{Accepted, MaybeNew, Problem};

/// The parts of the document, in the order of a reader's interest.
const TAGS: [(&str, &str); 6] = [
    (
        "catalog",
        "What was measured and is current, what others published, and which configuration is the cheapest.",
    ),
    ("runs", "Benchmarks on demand: submit, follow, cancel."),
    ("results", "Every result that was ever recorded, its costs and its history."),
    ("planning", "What a run would be like and cost, before anything is paid."),
    ("reference", "What requests can name: models, instance types, prices, datasets, engines."),
    ("installation", "How this installation is doing, and this document."),
];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));

/// The document as it is committed.
#[must_use]
pub fn text() -> &'static str {
    &DOCUMENT
}

/// The document.
pub(crate) fn document() -> Value {
    let mut described = OpenApi {
        info: Info {
            title: "AccelBench".to_owned(),
            summary: Some("Which AWS accelerated instance should serve an open LLM".to_owned()),
            description: Some(include_str!("openapi/description.md").to_owned()),
            version: "1".to_owned(),
            license: Some(License {
                name: "Apache-2.0".to_owned(),
                identifier: Some("Apache-2.0".to_owned()),
                ..License::default()
            }),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let _ = rest::addresses(0).finish_api_with(&mut described, about_all);
    tidy::tidied(serde_json::to_value(&described).unwrap_or_default())
}

fn about_all(mut document: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    for (name, description) in TAGS {
        let tag = Tag { name: name.to_owned(), description: Some(description.to_owned()), ..Tag::default() };
        document = document.tag(tag);
    }
    document.strip_null_from_query_params()
}

/// What an operation is called, under which tag, and in a sentence.
pub(crate) fn about(
    tag: &'static str,
    id: &'static str,
    summary: &'static str,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    move |operation| operation.tag(tag).id(id).summary(summary)
}

/// The document, for programs.
pub(crate) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text()).into_response()
}

#[cfg(test)]
mod tests;
