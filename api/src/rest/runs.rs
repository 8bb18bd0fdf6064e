//! Runs: submit, list, show, cancel, re-queue, retry.

use accelbench_core::run::{Phase, Run, RunId};
use accelbench_store::Error;
use accelbench_store::runs::{self, Cancellation, RunFilter, Submitted};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::{JsonBody, Parameters, PathRun};
use crate::error::ApiError;
use crate::openapi::{Accepted, MaybeNew};
use crate::rest::paging;
use crate::submission::{self, AskedRevision, Split, Submission};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParameters {
    model: Option<String>,
    instance_type: Option<String>,
    submitted_by: Option<String>,
    phase: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunList {
    runs: Vec<Run>,
    /// What to give as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CancelRequested {
    run_id: RunId,
    cancel_requested: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Requeued {
    run_id: RunId,
    requeued: bool,
}

/// The key under which a request to submit may be sent again.
pub(crate) struct IdempotencyKey(Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
        let key = key.filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic())).ok_or_else(|| {
            ApiError::bad_request("the Idempotency-Key must be 1 to 200 visible ASCII characters")
                .with_hint("take for instance a UUID, and a new one for each new request")
        })?;
        Ok(Self(Some(key.to_owned())))
    }
}

pub(crate) async fn submit(
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(submission): JsonBody<Submission>,
) -> Result<MaybeNew<Run>, ApiError> {
    let submitted = submission::submit(&app, &submission, key.as_deref()).await?;
    answer(&app, submitted).await
}

/// A new run is 201 with its address, one that was there already is 200.
async fn answer(app: &App, submitted: Submitted) -> Result<MaybeNew<Run>, ApiError> {
    let (Submitted::New(run_id) | Submitted::Existing(run_id)) = submitted;
    let answer = runs::find(&mut *app.connection().await?, run_id).await?;
    let is_new = matches!(submitted, Submitted::New(_));
    Ok(MaybeNew { is_new, location: Some(format!("/api/v1/runs/{run_id}")), answer })
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<RunList>, ApiError> {
    if let Some(phase) = parameters.phase.as_deref().filter(|phase| !Phase::WORDS.contains(phase)) {
        let error = ApiError::bad_request(format!("there is no phase `{phase}`"));
        return Err(error.with_hint(format!("the phases are {}", Phase::WORDS.join(", "))));
    }
    let limit = paging::limit(parameters.limit, 50)?;
    let filter = RunFilter {
        run_id: None,
        model: parameters.model,
        instance_type: parameters.instance_type,
        submitted_by: parameters.submitted_by,
        phase: parameters.phase,
        before: paging::cursor(parameters.cursor.as_deref())?,
    };
    let runs = runs::list(&mut *app.connection().await?, &filter, i64::from(limit)).await?;
    let next_cursor = paging::next(&runs, limit, |run| run.id.to_string());
    Ok(Json(RunList { runs, next_cursor }))
}

pub(crate) async fn show(State(app): State<App>, PathRun(run_id): PathRun) -> Result<Json<Run>, ApiError> {
    Ok(Json(runs::find(&mut *app.connection().await?, run_id).await?))
}

pub(crate) async fn cancel(
    State(app): State<App>,
    PathRun(run_id): PathRun,
) -> Result<Accepted<CancelRequested>, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let cancellation = runs::request_cancel(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    match cancellation {
        Cancellation::Requested | Cancellation::AlreadyRequested => {
            Ok(Accepted(CancelRequested { run_id, cancel_requested: true }))
        }
        Cancellation::TooLate => Err(ApiError::new(
            StatusCode::CONFLICT,
            format!("run {run_id} is ending or has ended; it cannot be cancelled"),
        )
        .with_hint("GET /api/v1/runs/{run_id} says how it ended")),
    }
}

pub(crate) async fn requeue(
    State(app): State<App>,
    PathRun(run_id): PathRun,
) -> Result<Accepted<Requeued>, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    runs::requeue(&mut transaction, run_id).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(Accepted(Requeued { run_id, requeued: true }))
}

pub(crate) async fn retry(
    State(app): State<App>,
    PathRun(run_id): PathRun,
) -> Result<MaybeNew<Run>, ApiError> {
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
