//! An error where a person asked.

use askama::Template as _;
use axum::response::{Html, IntoResponse as _, Response};

use super::frame::Frame;
use crate::error::ApiError;
use crate::html as filters;

#[derive(askama::Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    title: &'a str,
    detail: &'a str,
    hint: Option<&'a str>,
}

/// The error as a page.
pub(crate) fn page(error: &ApiError) -> Response {
    let title = error.status.canonical_reason().unwrap_or("Error");
    let page = ErrorPage { frame: Frame::bare(), title, detail: &error.detail, hint: error.hint.as_deref() };
    match page.render() {
        Ok(html) => (error.status, Html(html)).into_response(),
        Err(_broken) => (error.status, error.detail.clone()).into_response(),
    }
}
