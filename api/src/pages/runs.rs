//! The list of runs. It works without JavaScript; with it, the list stays fresh.

use accelbench_core::run::{Phase, Run, RunId};
use accelbench_store::runs::{self, RunFilter};
use accelbench_store::{PgConnection, status};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;

/// Runs on one page of the list.
const PAGE: u8 = 25;

#[derive(Template, WebTemplate)]
#[template(path = "runs/list.html")]
pub(crate) struct RunsPage {
    frame: Frame,
    list: RunsList,
}

#[derive(Template, WebTemplate)]
#[template(path = "runs/list.html", block = "rows")]
struct RunsRows {
    list: RunsList,
}

struct RunsList {
    runs: Vec<Run>,
    filter: ListFilter,
    /// Each phase with its number of runs.
    phases: Vec<(&'static str, i64)>,
    /// The address of older runs.
    older: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct ListFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<RunId>,
}

pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(filter): Parameters<ListFilter>,
) -> Result<Response, ApiError> {
    let mut connection = app.connection().await?;
    let list = RunsList::load(&mut connection, filter).await?;
    let is_part = headers.get("hx-request-type").is_some_and(|kind| kind == "partial");
    let response = if is_part {
        RunsRows { list }.into_response()
    } else {
        let frame = Frame::load(&mut connection, Section::Runs).await?;
        RunsPage { frame, list }.into_response()
    };
    Ok(([(header::VARY, "HX-Request, HX-Request-Type")], response).into_response())
}

impl RunsList {
    async fn load(connection: &mut PgConnection, filter: ListFilter) -> Result<Self, ApiError> {
        let wanted = RunFilter {
            model: filter.model.clone(),
            submitted_by: filter.submitted_by.clone(),
            phase: filter.phase.clone(),
            before: filter.before,
            ..RunFilter::default()
        };
        let mut runs = runs::list(connection, &wanted, i64::from(PAGE) + 1).await?;
        let has_older = runs.len() > usize::from(PAGE);
        runs.truncate(PAGE.into());
        let last = runs.last().map(|run| run.id).filter(|_| has_older);
        let older = last.map(|before| ListFilter { before: Some(before), ..filter.clone() }.address());
        let counts = status::summary(connection).await?.runs_by_phase;
        let count = |phase: &'static str| (phase, counts.get(phase).copied().unwrap_or_default());
        Ok(Self { runs, filter, phases: Phase::WORDS.map(count).into(), older })
    }

    /// Whether anything on the page will change by itself.
    fn is_moving(&self) -> bool {
        self.runs.iter().any(|run| !run.phase.is_finished())
    }
}

impl ListFilter {
    fn address(&self) -> String {
        let query = serde_urlencoded::to_string(self).unwrap_or_default();
        if query.is_empty() { "/runs".to_owned() } else { format!("/runs?{query}") }
    }

    /// The address of the same list in another phase.
    fn in_phase(&self, phase: Option<&str>) -> String {
        Self { phase: phase.map(str::to_owned), before: None, ..self.clone() }.address()
    }

    fn is_phase(&self, phase: &str) -> bool {
        self.phase.as_deref() == Some(phase)
    }
}
