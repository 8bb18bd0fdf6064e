//! One run, live. The stream sends the same block of the template that the page contains.

use accelbench_core::result::BenchmarkResult;
use accelbench_core::run::{Run, RunEvent, RunId};
use accelbench_store::{Error, events, runs};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::app::App;
use crate::body::PathRun;
use crate::error::ApiError;
use crate::html as filters;
use crate::rest;
use crate::rest::events::{Shown, stream_of};

#[derive(Template, WebTemplate)]
#[template(path = "runs/show.html")]
pub(crate) struct RunPage {
    run: Run,
    events: Vec<RunEvent>,
    results: Vec<BenchmarkResult>,
    configuration: String,
}

#[derive(Template)]
#[template(path = "runs/show.html", block = "live")]
struct RunLive {
    run: Run,
    events: Vec<RunEvent>,
    results: Vec<BenchmarkResult>,
}

pub(crate) async fn show(State(app): State<App>, PathRun(run_id): PathRun) -> Result<RunPage, ApiError> {
    let (run, events, results) = load(&app, run_id).await?;
    let configuration = serde_json::to_string_pretty(&run.spec).unwrap_or_default();
    Ok(RunPage { run, events, results, configuration })
}

pub(crate) async fn live(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    runs::find(&mut *app.connection().await?, run_id).await?;
    Ok(stream_of(app, run_id, 0, Shown::Page))
}

/// The live part of the page as it is now.
pub(crate) async fn render(app: &App, run_id: RunId) -> Option<Event> {
    let (run, events, results) = load(app, run_id).await.ok()?;
    let html = RunLive { run, events, results }.render().ok()?;
    Some(Event::default().data(html))
}

async fn load(app: &App, run_id: RunId) -> Result<(Run, Vec<RunEvent>, Vec<BenchmarkResult>), ApiError> {
    let mut connection = app.connection().await?;
    let run = runs::find(&mut connection, run_id).await?;
    let events = events::list_after(&mut connection, run_id, 0, 10_000).await?;
    Ok((run, events, rest::results::load_of_run(&mut connection, run_id).await?))
}

pub(crate) async fn cancel(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    // A run that ended in the meantime shows so on its page.
    runs::request_cancel(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(to_page(run_id))
}

pub(crate) async fn requeue(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    runs::requeue(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(to_page(run_id))
}

pub(crate) async fn retry(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    let (runs::Submitted::New(run_id) | runs::Submitted::Existing(run_id)) =
        rest::runs::run_again(&app, run_id).await?;
    Ok(to_page(run_id))
}

/// After a form, the run's page.
pub(super) fn to_page(run_id: RunId) -> Response {
    Redirect::to(&format!("/runs/{run_id}")).into_response()
}
