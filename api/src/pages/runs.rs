//! The list of runs with the form that submits one. It works without JavaScript; with it, the list stays fresh.

use accelbench_core::model::Quantization;
use accelbench_core::run::{Run, RunId};
use accelbench_store::runs::{self, RunFilter, Submitted};
use accelbench_store::{PgConnection, datasets, engines, instances, models, status};
use askama::Template;
use askama_web::WebTemplate;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::run::to_page;
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;
use crate::rest::runs::PHASES;
use crate::submission;

mod form;
use form::RunForm;

/// Runs on one page of the list.
const PAGE: u8 = 25;

#[derive(Template, WebTemplate)]
#[template(path = "runs/list.html")]
pub(crate) struct RunsPage {
    list: RunsList,
    choices: Choices,
    form: RunForm,
    refused: Option<ApiError>,
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

/// What the form offers.
struct Choices {
    models: Vec<String>,
    instances: Vec<String>,
    engines: Vec<String>,
    datasets: Vec<String>,
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
        let choices = Choices::load(&mut connection).await?;
        RunsPage { list, choices, form: RunForm::default(), refused: None }.into_response()
    };
    Ok(([(header::VARY, "HX-Request, HX-Request-Type")], response).into_response())
}

pub(crate) async fn submit(
    State(app): State<App>,
    form: Result<Form<RunForm>, FormRejection>,
) -> Result<Response, ApiError> {
    let Form(form) = form.map_err(|error| ApiError::bad_request(error.body_text()))?;
    match submit_form(&app, &form).await {
        Ok(Submitted::New(run_id) | Submitted::Existing(run_id)) => Ok(to_page(run_id)),
        Err(error) if error.status.is_client_error() => {
            let mut connection = app.connection().await?;
            let list = RunsList::load(&mut connection, ListFilter::default()).await?;
            let choices = Choices::load(&mut connection).await?;
            let page = RunsPage { list, choices, form, refused: Some(error) };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn submit_form(app: &App, form: &RunForm) -> Result<Submitted, ApiError> {
    let submission = form.submission()?;
    let key = form.idempotency_key(&submission);
    submission::submit(app, &submission, Some(&key)).await
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
        Ok(Self { runs, filter, phases: PHASES.map(count).into(), older })
    }

    /// Whether anything on the page will change by itself.
    fn is_moving(&self) -> bool {
        self.runs.iter().any(|run| !run.phase.is_finished())
    }
}

impl Choices {
    async fn load(connection: &mut PgConnection) -> Result<Self, ApiError> {
        Ok(Self {
            models: models::names(connection).await?,
            instances: instances::names(connection).await?,
            engines: engines::names(connection).await?,
            datasets: datasets::names(connection).await?,
        })
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

impl RunsPage {
    /// What is wrong with a field, if the refusal is about it.
    fn complaint(&self, field: &str) -> Option<&str> {
        let refused = self.refused.as_ref()?;
        refused.is_about(field).then_some(refused.detail.as_str())
    }
}
