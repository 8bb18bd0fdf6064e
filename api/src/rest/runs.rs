//! Runs: submit, list, show, cancel, re-queue, retry.

use accelbench_core::run::{Run, RunId};
use accelbench_store::Error;
use accelbench_store::runs::{self, Cancellation, RunFilter, Submitted};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::body::{JsonBody, Parameters, PathRun};
use crate::error::ApiError;
use crate::submission::{self, AskedRevision, Split, Submission};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParameters {
    model: Option<String>,
    instance_type: Option<String>,
    submitted_by: Option<String>,
    phase: Option<String>,
    before: Option<RunId>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RunList {
    runs: Vec<Run>,
    /// The last run of a full page: give it as `before` for the next one.
    next_before: Option<RunId>,
}

/// The words of `core::run::Phase`, in the order of a run's life.
pub(crate) const PHASES: [&str; 7] =
    ["queued", "deploying", "awaiting_ready", "loading", "recording", "tearing_down", "finished"];

pub(crate) async fn submit(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(submission): JsonBody<Submission>,
) -> Result<Response, ApiError> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let submitted = submission::submit(&app, &submission, key).await?;
    answer(&app, submitted).await
}

/// A new run is 201 with its address, one that was there already is 200.
async fn answer(app: &App, submitted: Submitted) -> Result<Response, ApiError> {
    let (status, run_id) = match submitted {
        Submitted::New(run_id) => (StatusCode::CREATED, run_id),
        Submitted::Existing(run_id) => (StatusCode::OK, run_id),
    };
    let run = runs::find(&mut *app.connection().await?, run_id).await?;
    Ok((status, [(header::LOCATION, format!("/api/v1/runs/{run_id}"))], Json(run)).into_response())
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<RunList>, ApiError> {
    if let Some(phase) = parameters.phase.as_deref().filter(|phase| !PHASES.contains(phase)) {
        let error = ApiError::bad_request(format!("there is no phase `{phase}`"));
        return Err(error.with_hint(format!("the phases are {}", PHASES.join(", "))));
    }
    let limit = parameters.limit.unwrap_or(50).clamp(1, 1000);
    let filter = RunFilter {
        run_id: None,
        model: parameters.model,
        instance_type: parameters.instance_type,
        submitted_by: parameters.submitted_by,
        phase: parameters.phase,
        before: parameters.before,
    };
    let runs = runs::list(&mut *app.connection().await?, &filter, i64::from(limit)).await?;
    let next_before = (runs.len() == limit as usize).then(|| runs.last().map(|run| run.id)).flatten();
    Ok(Json(RunList { runs, next_before }))
}

pub(crate) async fn show(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Json<Run>, ApiError> {
    Ok(Json(runs::find(&mut *app.connection().await?, run_id).await?))
}

pub(crate) async fn cancel(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let cancellation = runs::request_cancel(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    match cancellation {
        Cancellation::Requested | Cancellation::AlreadyRequested => {
            Ok((StatusCode::ACCEPTED, Json(json!({"run_id": run_id, "cancel_requested": true})))
                .into_response())
        }
        Cancellation::TooLate => Err(ApiError::new(
            StatusCode::CONFLICT,
            format!("run {run_id} is ending or has ended; it cannot be cancelled"),
        )),
    }
}

pub(crate) async fn requeue(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    runs::requeue(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok((StatusCode::ACCEPTED, Json(json!({"run_id": run_id, "requeued": true}))).into_response())
}

pub(crate) async fn retry(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Response, ApiError> {
    let submitted = run_again(&app, run_id).await?;
    answer(&app, submitted).await
}

/// Submits the same request once more. The token of the first run is gone with it and must be given anew.
pub(crate) async fn run_again(app: &App, run_id: RunId) -> Result<Submitted, ApiError> {
    let run = runs::find(&mut *app.connection().await?, run_id).await?;
    let submission = Submission {
        revision: run.spec.revision.clone().map_or(AskedRevision::Newest, AskedRevision::Commit),
        spec: run.spec,
        split: Split::AsAsked,
        submitted_by: run.submitted_by,
        hf_token: None,
    };
    submission::submit(app, &submission, None).await
}
