//! Reading again: an answer has a tag of what it says, and whoever has the same already is told only that. The tag is a
//! weak one, because the same answer may be compressed in several ways.

use accelbench_core::dataset::Sha256Hex;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;

/// An answer with a tag of its own, for one that holds what changes without meaning anything.
pub(crate) struct Tagged<T> {
    pub(crate) tag: String,
    pub(crate) answer: T,
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, self.tag)], Json(self.answer)).into_response()
    }
}

/// Tells what was said by a hash.
pub(crate) fn tag(said: &[u8]) -> String {
    format!("W/\"{}\"", &Sha256Hex::of(said).as_str()[..32])
}

/// Tags JSON answers to GET, and leaves out those that are known already.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if is_read && response.status() == StatusCode::OK && is_json(response.headers()) {
        return tagged(response, known.as_ref()).await.unwrap_or_else(IntoResponse::into_response);
    }
    response
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
}

async fn tagged(response: Response, known: Option<&HeaderValue>) -> Result<Response, ApiError> {
    let (mut parts, body) = response.into_parts();
    let said = to_bytes(body, usize::MAX).await;
    let said = said.map_err(|error| ApiError::internal("an answer broke off", &error))?;
    let own = parts.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let tag = own.unwrap_or_else(|| tag(&said));
    let is_known = known.and_then(|known| known.to_str().ok()).is_some_and(|known| names(known, &tag));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    Ok(Response::from_parts(parts, Body::from(said)))
}

/// Whether a list of tags holds this one, weakly compared.
fn names(known: &str, tag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.split(',').any(|known| known.trim() == "*" || bare(known) == bare(tag))
}

#[cfg(test)]
mod tests {
    use super::{names, tag};

    #[test]
    fn tags_are_compared_weakly() {
        let this = tag(b"x");
        for (known, is_known) in [
            (this.clone(), true),
            (this.trim_start_matches("W/").to_owned(), true),
            (format!("\"y\", {this}"), true),
            ("*".to_owned(), true),
            (tag(b"y"), false),
            (String::new(), false),
        ] {
            assert_eq!(names(&known, &this), is_known, "{known}");
        }
    }
}
