//! The description of the REST API for people, drawn from the same document that programs get.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

use super::frame::{Frame, Section};
use crate::app::App;
use crate::error::ApiError;
use crate::html as filters;
use crate::openapi;

mod read;

use read::{Described, Part};

#[derive(Template, WebTemplate)]
#[template(path = "docs/index.html")]
pub(crate) struct DocsPage {
    frame: Frame,
    /// The introduction, a paragraph each.
    introduction: Vec<String>,
    parts: Vec<Part>,
    schemas: Vec<Described>,
}

pub(crate) async fn show(State(app): State<App>) -> Result<DocsPage, ApiError> {
    let frame = Frame::load(&mut *app.connection().await?, Section::Nowhere).await?;
    let document = openapi::document();
    let text = document["info"]["description"].as_str().unwrap_or_default();
    let introduction = text.split("\n\n").map(|paragraph| paragraph.replace(['*', '`'], "")).collect();
    Ok(DocsPage { frame, introduction, parts: read::parts(&document), schemas: read::schemas(&document) })
}
