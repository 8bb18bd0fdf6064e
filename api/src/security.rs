//! What holds for every answer: the headers that keep a browser from doing harm, the refusal of requests that another
//! site makes in a person's name (a run costs money, and there is no login to protect it), the request id in the log, and
//! errors as pages where a person asked.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Span;

use crate::error::ApiError;
use crate::pages;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let response = if is_foreign(request.method(), request.headers()) {
        ApiError::new(StatusCode::FORBIDDEN, "this request was made by another site")
            .with_hint("open AccelBench itself and repeat it there")
            .into_response()
    } else {
        next.run(request).await
    };
    let mut response = as_page(response, is_api);
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

fn as_page(response: Response, is_api: bool) -> Response {
    match response.extensions().get::<ApiError>() {
        Some(error) if !is_api => pages::error::page(error),
        _ => response,
    }
}

/// The span of a request: its id ties log lines and answers together.
pub(crate) fn span<B>(request: &axum::http::Request<B>) -> Span {
    let id = request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
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
