//! What holds for every answer: the headers that keep a browser from doing harm, the refusal of requests that another
//! site makes in a person's name (a run costs money, and there is no login to protect it), the request id in the log, and
//! errors as pages where a person asked.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Span;

use crate::error::ApiError;
use crate::pages;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The framework's own errors are a sentence.
const MOST_WORDS: usize = 4096;

pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let request_id = request_id(request.headers());
    let is_api = request.uri().path().starts_with("/api/v");
    let response = if is_foreign(request.method(), request.headers()) {
        ApiError::new(StatusCode::FORBIDDEN, "this request was made by another site")
            .with_hint("open AccelBench itself and repeat it there")
            .into_response()
    } else {
        next.run(request).await
    };
    let mut response = told(response, is_api, request_id.as_deref()).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("x-accelbench-version", HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}

/// Browsers say where a request comes from; programs that are no browsers say nothing and are let through.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_none_or(|(_, origin_host)| origin_host != host)
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// An error in the form that whoever asked can read: a page, or a problem document. What a part of the framework
/// refused by itself becomes one too.
async fn told(response: Response, is_api: bool, request_id: Option<&str>) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    // A form that is refused comes back as a page that says why.
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_error || is_page {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let error = match parts.extensions.remove::<ApiError>() {
        Some(error) => error,
        None => ApiError::new(status, words(body).await),
    };
    if !is_api {
        return pages::error::page(&error);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    (parts, Json(error.problem(request_id))).into_response()
}

/// What the framework says of an error.
async fn words(body: Body) -> String {
    let text = to_bytes(body, MOST_WORDS).await.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
    text.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "the request cannot be answered".to_owned())
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-request-id").and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// An id that a client gives is taken over if it can stand in a log and a header; otherwise the request gets one.
pub(crate) async fn believable_request_id(mut request: Request) -> Request {
    let is_believable =
        |id: &HeaderValue| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    if request.headers().get("x-request-id").is_some_and(|id| !is_believable(id)) {
        request.headers_mut().remove("x-request-id");
    }
    request
}

/// The span of a request: its id ties log lines and answers together.
pub(crate) fn span<B>(request: &axum::http::Request<B>) -> Span {
    let id = request_id(request.headers()).unwrap_or_default();
    tracing::info_span!("request", request.id = id, http.method = %request.method(), http.path = request.uri().path())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};

    use super::is_foreign;

    #[test]
    fn other_sites_cannot_change_anything_in_a_persons_name() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
        };
        for (pairs, foreign) in [
            (&[("host", "bench:8080")][..], false),
            (&[("host", "bench:8080"), ("origin", "http://bench:8080")], false),
            (&[("host", "bench:8080"), ("origin", "http://evil")], true),
            (&[("host", "bench:8080"), ("origin", "null")], true),
            (&[("host", "bench:8080"), ("sec-fetch-site", "cross-site")], true),
            (&[("host", "bench:8080"), ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(is_foreign(&Method::POST, &headers(pairs)), foreign, "{pairs:?}");
            assert!(!is_foreign(&Method::GET, &headers(pairs)));
        }
    }
}
