//! Reading what is sent: JSON, and parts of the address. Whatever is wrong with it is said as a problem.

use accelbench_core::run::RunId;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Self).map_err(|error| {
            let malformed = error.is_syntax() || error.is_eof();
            let status = if malformed { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
            let what =
                if malformed { "the body is not JSON" } else { "the body does not say what is needed" };
            ApiError::new(status, format!("{what}: {error}"))
        })
    }
}

/// A body as it is, up to the route's limit.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| {
            let error = ApiError::new(rejection.status(), rejection.body_text());
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                return error
                    .with_hint("send less, or raise the limit with --max-dataset-mib if this is a dataset");
            }
            error
        })
    }
}

/// The run named in the address.
pub(crate) struct PathRun(pub(crate) RunId);

impl<S: Send + Sync> FromRequestParts<S> for PathRun {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(mut names): Path<std::collections::HashMap<String, String>> =
            Path::from_request_parts(parts, state)
                .await
                .map_err(|error| ApiError::bad_request(error.body_text()))?;
        let text = names.remove("run_id").unwrap_or_default();
        text.parse().map(Self).map_err(|error: accelbench_core::run::InvalidSpec| {
            ApiError::new(StatusCode::NOT_FOUND, error.to_string())
        })
    }
}

/// The parameters behind the `?` of the address.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(value)| Self(value)).map_err(|error| ApiError::bad_request(error.body_text()))
    }
}
