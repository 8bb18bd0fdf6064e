//! The few static files, inside the program.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;

const CSS: &str = include_str!("../../static/app.css");
const HTMX: &str = include_str!("../../static/vendor/htmx.min.js");
const HX_SSE: &str = include_str!("../../static/vendor/hx-sse.min.js");

pub(crate) async fn show(Path(name): Path<String>) -> Result<Response, ApiError> {
    let (kind, text) = match name.as_str() {
        "app.css" => ("text/css; charset=utf-8", CSS),
        "htmx.min.js" => ("text/javascript; charset=utf-8", HTMX),
        "hx-sse.min.js" => ("text/javascript; charset=utf-8", HX_SSE),
        _ => return Err(ApiError::not_found("file", &name)),
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")], text)
        .into_response())
}
