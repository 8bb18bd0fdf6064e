//! Answers that are more than JSON with 200, and what they add to the description of an operation.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described, StatusCode as Status};
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::inputs::object;
use crate::error::ApiError;
use crate::rest::conditional::Tagged;

/// What went wrong, as RFC 9457 has it, with a hint and the request's id.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status tells the kind.
    pub(crate) r#type: &'static str,
    /// The name of the status.
    pub(crate) title: &'static str,
    /// The status.
    pub(crate) status: u16,
    /// What failed, for what.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// Finds the lines of this request in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// 201 for what was made, 200 for what was there already.
pub(crate) struct MaybeNew<T> {
    pub(crate) is_new: bool,
    /// Where it is to be found.
    pub(crate) location: Option<String>,
    pub(crate) answer: T,
}

/// 202: it will be done.
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for MaybeNew<T> {
    fn into_response(self) -> Response {
        let status = if self.is_new { StatusCode::CREATED } else { StatusCode::OK };
        let location = self.location.map(|location| [(header::LOCATION, location)]);
        match location {
            Some(location) => (status, location, Json(self.answer)).into_response(),
            None => (status, Json(self.answer)).into_response(),
        }
    }
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for MaybeNew<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Described> {
        Some(described::<T>(context, "application/json", "It was there already."))
    }

    fn inferred_responses(context: &mut GenContext, _: &mut Operation) -> Vec<(Option<Status>, Described)> {
        let mut answer =
            |status, words| (Some(Status::Code(status)), described::<T>(context, "application/json", words));
        vec![answer(200, "It was there already."), answer(201, "It was made.")]
    }
}

impl<T: JsonSchema> OperationOutput for Accepted<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Described> {
        Some(described::<T>(context, "application/json", "It will be done."))
    }

    fn inferred_responses(context: &mut GenContext, _: &mut Operation) -> Vec<(Option<Status>, Described)> {
        vec![(Some(Status::Code(202)), described::<T>(context, "application/json", "It will be done."))]
    }
}

impl<T: JsonSchema> OperationOutput for Tagged<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        Json::<T>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Status>, Described)> {
        Json::<T>::inferred_responses(context, operation)
    }
}

impl OperationOutput for ApiError {
    type Inner = Problem;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Described> {
        Some(described::<Problem>(context, "application/problem+json", "What is wrong with the request."))
    }

    fn inferred_responses(context: &mut GenContext, _: &mut Operation) -> Vec<(Option<Status>, Described)> {
        let mut problem = |range, words| {
            (Some(Status::Range(range)), described::<Problem>(context, "application/problem+json", words))
        };
        vec![
            problem(4, "What is wrong with the request."),
            problem(5, "The server or its database is in trouble; try again later."),
        ]
    }
}

fn described<T: JsonSchema>(context: &mut GenContext, kind: &str, words: &str) -> Described {
    let schema = Some(object(context.schema.subschema_for::<T>()));
    let media = MediaType { schema, ..MediaType::default() };
    Described {
        description: words.to_owned(),
        content: IndexMap::from_iter([(kind.to_owned(), media)]),
        ..Described::default()
    }
}
