//! The intake for load generators. Each is let in by the token of its one run. A report is acknowledged when it is
//! committed, and acknowledged again when it comes again.

use std::time::Duration;

use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadProgress, LoadReport};
use accelbench_core::run::RunId;
use accelbench_store::intake::{self, PlanOfRun, Receipt};
use accelbench_store::notifications::changed;
use accelbench_store::{Error, datasets, runs};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::body::{JsonBody, PathRun};
use crate::error::ApiError;

/// The load generator of the run in the address.
pub(crate) struct Loadgen(RunId);

impl FromRequestParts<App> for Loadgen {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let PathRun(run_id) = PathRun::from_request_parts(parts, app).await?;
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if app.secret_key().verify_run_token(run_id, token) {
            return Ok(Self(run_id));
        }
        Err(ApiError::new(StatusCode::UNAUTHORIZED, format!("this is not the token of run {run_id}"))
            .with_hint("only the load generator that a worker started for the run is let in"))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Failure {
    reason: String,
}

/// How long a load generator that came before its plan is let wait: less than it bears with an answer.
const PLAN_WAIT: Duration = Duration::from_secs(20);

/// How often its run is looked at, should a notification be lost.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// The plan, as soon as the run is loading; no content when it is not after a while, and the load generator asks again.
pub(crate) async fn plan(State(app): State<App>, Loadgen(run_id): Loadgen) -> Result<Response, ApiError> {
    let mut changes = app.notifications().subscribe();
    let until = Instant::now() + PLAN_WAIT;
    loop {
        match intake::plan(&mut *app.connection().await?, run_id).await? {
            PlanOfRun::Now(plan) => return Ok(Json(plan).into_response()),
            PlanOfRun::Over => return Err(over(run_id)),
            PlanOfRun::Coming if Instant::now() >= until => return Ok(StatusCode::NO_CONTENT.into_response()),
            PlanOfRun::Coming => {}
        }
        tokio::select! {
            () = changed(&mut changes, run_id) => {}
            () = sleep(LOOK_INTERVAL) => {}
            () = app.stopped() => return Ok(StatusCode::NO_CONTENT.into_response()),
        }
    }
}

pub(crate) async fn dataset(State(app): State<App>, Loadgen(run_id): Loadgen) -> Result<Vec<u8>, ApiError> {
    let mut connection = app.connection().await?;
    let sha256 = runs::dataset_sha256(&mut connection, run_id).await?;
    Ok(datasets::content(&mut connection, &sha256).await?)
}

pub(crate) async fn progress(
    State(app): State<App>,
    Loadgen(run_id): Loadgen,
    JsonBody(progress): JsonBody<LoadProgress>,
) -> Result<StatusCode, ApiError> {
    let noted = intake::set_progress(&mut *app.connection().await?, run_id, &progress).await?;
    if noted { Ok(StatusCode::NO_CONTENT) } else { Err(over(run_id)) }
}

pub(crate) async fn report(
    State(app): State<App>,
    Loadgen(run_id): Loadgen,
    Path((_, index)): Path<(String, u32)>,
    body: Result<JsonBody<LoadReport>, ApiError>,
) -> Result<Response, ApiError> {
    let JsonBody(report) = body.map_err(ApiError::unprocessable_if_malformed)?;
    if report.load_point_index != index || report.run_id != run_id {
        return Err(ApiError::unprocessable("the report is for another run or load point than the address"));
    }
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    // A run that has moved on has no plan; its reports can only be ones that it has already.
    if let Some(plan) = intake::plan(&mut transaction, run_id).await?.now() {
        report.validate(&plan)?;
    }
    let receipt = intake::put_report(&mut transaction, run_id, &report).await?;
    transaction.commit().await.map_err(Error::from)?;
    let status = if receipt == Receipt::New { StatusCode::CREATED } else { StatusCode::OK };
    Ok(status.into_response())
}

pub(crate) async fn conclusion(
    State(app): State<App>,
    Loadgen(run_id): Loadgen,
    JsonBody(conclusion): JsonBody<Conclusion>,
) -> Result<StatusCode, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let noted = intake::set_conclusion(&mut transaction, run_id, &conclusion).await?;
    transaction.commit().await.map_err(Error::from)?;
    if noted { Ok(StatusCode::NO_CONTENT) } else { Err(over(run_id)) }
}

pub(crate) async fn failure(
    State(app): State<App>,
    Loadgen(run_id): Loadgen,
    JsonBody(failure): JsonBody<Failure>,
) -> Result<StatusCode, ApiError> {
    let reason: String = failure.reason.chars().filter(|letter| *letter != '\0').take(4000).collect();
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let noted = intake::set_failure(&mut transaction, run_id, &reason).await?;
    transaction.commit().await.map_err(Error::from)?;
    if noted { Ok(StatusCode::NO_CONTENT) } else { Err(over(run_id)) }
}

fn over(run_id: RunId) -> ApiError {
    ApiError::new(StatusCode::GONE, format!("run {run_id} is not loading"))
        .with_hint("the load generator can end")
}
