//! Reading what is sent: JSON, and parts of the address. Whatever is wrong with it is said as a problem.

use accelbench_core::run::{InvalidSpec, RunId};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::address;
use crate::error::ApiError;

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !says_json(request.headers()) {
            let error = ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not said to be JSON");
            return Err(error.with_hint("send it with the header `Content-Type: application/json`"));
        }
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads JSON: 400 when it is none, 422 when it does not say what is needed, both with the place.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // PostgreSQL cannot store it, and nobody means it.
    if bytes.windows(6).any(|window| window == br"\u0000") {
        return Err(ApiError::unprocessable("a text in the body holds the character U+0000; leave it out"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return not_json(&inner);
        }
        ApiError::unprocessable(match path.as_str() {
            "." | "?" => inner.to_string(),
            path => format!("{path}: {inner}"),
        })
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(parsed)
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::bad_request(format!("the body is not JSON: {error}"))
}

/// A body as it is, up to the route's limit.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return ApiError::new(rejection.status(), "the body is larger than this address takes");
            }
            ApiError::new(rejection.status(), rejection.body_text())
        })
    }
}

/// The run named in the address.
pub(crate) struct PathRun(pub(crate) RunId);

impl<S: Send + Sync> FromRequestParts<S> for PathRun {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = address::part(parts, state, "run_id").await?;
        text.parse().map(Self).map_err(|error: InvalidSpec| {
            ApiError::new(StatusCode::NOT_FOUND, error.to_string())
                .with_hint("GET /api/v1/runs lists the runs")
        })
    }
}

/// The parameters behind the `?` of the address. Empty ones count as absent: a form sends all of its fields.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.contains("%00") {
            return Err(ApiError::bad_request("a parameter holds the character U+0000; leave it out"));
        }
        let given: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !pair.ends_with('=')).collect();
        let address = format!("/?{}", given.join("&")).parse();
        let address = address.map_err(|_malformed| ApiError::bad_request("the parameters cannot be read"))?;
        let read = Query::try_from_uri(&address);
        read.map(|Query(value)| Self(value)).map_err(|error| ApiError::bad_request(error.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use accelbench_core::load::OfferedLoad;
    use axum::http::StatusCode;

    use super::parse;

    #[test]
    fn what_is_wrong_with_a_body_is_said_with_its_place() {
        for (body, status, detail) in [
            (
                "[{\"concurrency\": 1}",
                StatusCode::BAD_REQUEST,
                "EOF while parsing a list at line 1 column 19",
            ),
            ("[] x", StatusCode::BAD_REQUEST, "trailing characters at line 1 column 4"),
            ("[{\"concurrency\": 1}, {\"concurrency\": 0}]", StatusCode::UNPROCESSABLE_ENTITY, "[1]"),
            ("[{\"a\\u0000b\": 1}]", StatusCode::UNPROCESSABLE_ENTITY, "U+0000"),
        ] {
            let error = parse::<Vec<OfferedLoad>>(body.as_bytes()).unwrap_err();
            assert_eq!(error.status, status, "{body}");
            assert!(error.detail.contains(detail), "{body}: {}", error.detail);
        }
    }
}
