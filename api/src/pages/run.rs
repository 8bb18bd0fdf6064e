//! One run, live. The stream sends the same block of the template that the page contains.

use accelbench_core::load::LoadReport;
use accelbench_core::result::BenchmarkResult;
use accelbench_core::run::{Run, RunId};
use accelbench_store::logs::{self, LogSource};
use accelbench_store::runs::{self, Submitted};
use accelbench_store::{Error, PgConnection, capacity, events, intake};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::Utc;

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::PathRun;
use crate::chart::Chart;
use crate::error::ApiError;
use crate::form::PostedForm;
use crate::html as filters;
use crate::reproduce;
use crate::rest::events::{Shown, stream_of};
use crate::rest::results::load_of_run;
use crate::rest::runs::run_again;

mod charts;
mod money;
mod timeline;
use money::Money;
use timeline::Step;

/// Most events of one timeline; a run has some dozens.
const MOST_EVENTS: i64 = 10_000;

/// How much of the end of a log is shown on the page, in bytes; the whole is one link away.
const LOG_TAIL: usize = 16 * 1024;

#[derive(Template, WebTemplate)]
#[template(path = "runs/show.html")]
pub(crate) struct RunPage {
    frame: Frame,
    run: Run,
    live: Live,
    logs: Vec<LogTail>,
    spec_json: String,
    command: String,
    command_lacks: Option<&'static str>,
}

/// The part of the page that changes while the run goes on.
#[derive(Template)]
#[template(path = "runs/show.html", block = "live")]
struct RunLive {
    run: Run,
    live: Live,
}

struct Live {
    steps: Vec<Step>,
    results: Vec<BenchmarkResult>,
    /// What was measured so far, while there are no results yet.
    reports: Vec<LoadReport>,
    /// How many runs go before this one.
    ahead: Option<i64>,
    /// What it costs, where it takes an instance.
    money: Option<Money>,
    /// How the load went so far.
    charts: Vec<Chart>,
    /// For its buttons.
    form_token: String,
}

struct LogTail {
    source: &'static str,
    tail: String,
    is_whole: bool,
}

pub(crate) async fn show(State(app): State<App>, PathRun(run_id): PathRun) -> Result<RunPage, ApiError> {
    let mut connection = app.connection().await?;
    let (run, live) = load(&app, &mut connection, run_id).await?;
    let logs = log_tails(&mut connection, run_id).await?;
    let spec_json = serde_json::to_string_pretty(&run.spec).unwrap_or_default();
    let frame = Frame::load(&mut connection, Section::Runs).await?;
    let (command, command_lacks) = (reproduce::command(&run.spec), reproduce::left_out(&run.spec));
    Ok(RunPage { frame, run, live, logs, spec_json, command, command_lacks })
}

pub(crate) async fn live(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    runs::find(&mut *app.connection().await?, run_id).await?;
    Ok(stream_of(app, run_id, 0, Shown::Page))
}

/// The live part of the page as it is now; `None` while it cannot be read.
pub(crate) async fn render(app: &App, run_id: RunId) -> Option<Event> {
    let (run, live) = load(app, &mut *app.connection().await.ok()?, run_id).await.ok()?;
    let html = RunLive { run, live }.render().ok()?;
    Some(Event::default().data(html))
}

async fn load(app: &App, connection: &mut PgConnection, run_id: RunId) -> Result<(Run, Live), ApiError> {
    let run = runs::find(connection, run_id).await?;
    let events = events::list_after(connection, run_id, 0, MOST_EVENTS).await?;
    let results = load_of_run(connection, run_id).await?;
    let reports = if results.is_empty() { intake::reports(connection, run_id).await? } else { Vec::new() };
    let ahead = capacity::queue_position(connection, run_id).await?;
    let steps = timeline::steps(&run, &events, Utc::now());
    let money = Money::load(connection, &run, &events).await?;
    let told = intake::progress_so_far(connection, run_id).await?;
    let measured: Vec<&LoadReport> = results.iter().map(|result| &result.report).chain(&reports).collect();
    let charts = charts::charts(&measured, &told);
    let form_token = app.form_token();
    Ok((run, Live { steps, results, reports, ahead, money, charts, form_token }))
}

async fn log_tails(connection: &mut PgConnection, run_id: RunId) -> Result<Vec<LogTail>, ApiError> {
    let mut tails = Vec::new();
    for source in [LogSource::Engine, LogSource::Loadgen] {
        if let Some(log) = logs::find(connection, run_id, source).await? {
            let start = log.content.ceil_char_boundary(log.content.len().saturating_sub(LOG_TAIL));
            let is_whole = start == 0 && !log.truncated;
            tails.push(LogTail { source: source.as_str(), tail: log.content[start..].to_owned(), is_whole });
        }
    }
    Ok(tails)
}

pub(crate) async fn cancel(
    State(app): State<App>,
    PathRun(run_id): PathRun,
    _: PostedForm,
) -> Result<Response, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    // A run that ended in the meantime shows so on its page.
    runs::request_cancel(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(to_page(run_id))
}

pub(crate) async fn requeue(
    State(app): State<App>,
    PathRun(run_id): PathRun,
    _: PostedForm,
) -> Result<Response, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    runs::requeue(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(to_page(run_id))
}

pub(crate) async fn retry(
    State(app): State<App>,
    PathRun(run_id): PathRun,
    _: PostedForm,
) -> Result<Response, ApiError> {
    let (Submitted::New(run_id) | Submitted::Existing(run_id)) = run_again(&app, run_id).await?;
    Ok(to_page(run_id))
}

/// After a form, the run's page.
pub(super) fn to_page(run_id: RunId) -> Response {
    Redirect::to(&format!("/runs/{run_id}")).into_response()
}

impl Live {
    /// How many load points were measured so far.
    fn measured(&self) -> usize {
        self.results.len().max(self.reports.len())
    }

    /// The rows of the table: results once they are recorded, reports before.
    fn rows(&self) -> impl Iterator<Item = (&LoadReport, Option<&BenchmarkResult>)> {
        let recorded = self.results.iter().map(|result| (&result.report, Some(result)));
        recorded.chain(self.reports.iter().map(|report| (report, None)))
    }
}
