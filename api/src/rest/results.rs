//! Results: every one of them, whatever is held against it, with its costs and the others of its configuration. What is
//! current of them is the catalog.

use accelbench_core::result::{BenchmarkResult, Origin, ResultId};
use accelbench_core::run::RunId;
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{Error, PgConnection, catalog, runs};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::App;
use crate::body::{JsonBody, Parameters, PathRun};
use crate::error::ApiError;
use crate::rest::catalog::CatalogAnswer;
use crate::rest::pricing::PricingParameters;

mod costs;

use costs::{CostParameters, TierCosts};

/// Results of one configuration that are shown at once: two years of weekly ones.
const MOST_HISTORY: u32 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResultParameters {
    model: Option<String>,
    model_family: Option<String>,
    min_params_b: Option<f64>,
    max_params_b: Option<f64>,
    instance_type: Option<String>,
    instance_family: Option<String>,
    accelerator_name: Option<String>,
    accelerator_kind: Option<String>,
    engine: Option<String>,
    engine_version: Option<String>,
    quantization: Option<String>,
    origin: Option<Origin>,
    concurrency: Option<i32>,
    submitted_by: Option<String>,
    workload_sha256: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    #[serde(default)]
    include_invalid: bool,
    #[serde(default)]
    include_superseded: bool,
    after_recorded_at: Option<DateTime<Utc>>,
    after_result_id: Option<Uuid>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ResultList {
    results: Vec<BenchmarkResult>,
    /// The last result of a full page: what to give as `after_recorded_at` and `after_result_id` for the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<After>,
}

#[derive(Debug, Serialize)]
struct After {
    after_recorded_at: DateTime<Utc>,
    after_result_id: ResultId,
}

/// A result with what it costs in every tier.
#[derive(Debug, Serialize)]
pub(crate) struct PricedResult {
    #[serde(flatten)]
    result: BenchmarkResult,
    costs: Vec<TierCosts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Supersession {
    by: Uuid,
    reason: String,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ResultParameters>,
) -> Result<Json<ResultList>, ApiError> {
    let limit = i64::from(parameters.limit.unwrap_or(100).clamp(1, 1000));
    let results = results::list(&mut *app.connection().await?, &parameters.into(), limit).await?;
    let last = results.last().filter(|_| i64::try_from(results.len()) == Ok(limit));
    let next_after = last.map(|last| After { after_recorded_at: last.recorded_at, after_result_id: last.id });
    Ok(Json(ResultList { results, next_after }))
}

pub(crate) async fn of_run(
    State(app): State<App>,
    PathRun(run_id): PathRun,
) -> Result<Json<ResultList>, ApiError> {
    let mut connection = app.connection().await?;
    runs::find(&mut connection, run_id).await?;
    Ok(Json(ResultList { results: load_of_run(&mut connection, run_id).await?, next_after: None }))
}

/// All results of a run in the order of its load points, whatever is held against them.
pub(crate) async fn load_of_run(
    connection: &mut PgConnection,
    run_id: RunId,
) -> Result<Vec<BenchmarkResult>, ApiError> {
    let filter = ResultFilter {
        run_id: Some(run_id),
        include_invalid: true,
        include_superseded: true,
        ..ResultFilter::default()
    };
    let mut results = results::list(connection, &filter, 100).await?;
    results.sort_by_key(|result| result.report.load_point_index);
    Ok(results)
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(result_id): Path<String>,
    Parameters(parameters): Parameters<CostParameters>,
) -> Result<Json<PricedResult>, ApiError> {
    let mut connection = app.connection().await?;
    let result = results::find(&mut connection, parse(&result_id)?).await?;
    let costs = costs::of_every_tier(&mut connection, &result, &parameters).await?;
    Ok(Json(PricedResult { result, costs }))
}

/// The valid results of the same configuration, the current one first.
pub(crate) async fn history(
    State(app): State<App>,
    Path(result_id): Path<String>,
    Parameters(parameters): Parameters<PricingParameters>,
) -> Result<Json<CatalogAnswer>, ApiError> {
    let pricing = parameters.try_into()?;
    let id = parse(&result_id)?;
    let page = catalog::history(&mut *app.connection().await?, id, &pricing, MOST_HISTORY).await?;
    Ok(Json(CatalogAnswer::of(page, pricing)))
}

pub(crate) async fn supersede(
    State(app): State<App>,
    Path(result_id): Path<String>,
    JsonBody(supersession): JsonBody<Supersession>,
) -> Result<StatusCode, ApiError> {
    let old = parse(&result_id)?;
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    results::supersede(&mut transaction, old, ResultId(supersession.by), &supersession.reason).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(text: &str) -> Result<ResultId, ApiError> {
    text.parse().map(ResultId).map_err(|_not_a_uuid| ApiError::not_found("result", text))
}

impl From<ResultParameters> for ResultFilter {
    fn from(parameters: ResultParameters) -> Self {
        Self {
            result_id: None,
            run_id: None,
            model: parameters.model,
            model_family: parameters.model_family,
            min_params_b: parameters.min_params_b,
            max_params_b: parameters.max_params_b,
            instance_type: parameters.instance_type,
            instance_family: parameters.instance_family,
            accelerator_name: parameters.accelerator_name,
            accelerator_kind: parameters.accelerator_kind,
            engine: parameters.engine,
            engine_version: parameters.engine_version,
            quantization: parameters.quantization,
            origin: parameters.origin,
            concurrency: parameters.concurrency,
            submitted_by: parameters.submitted_by,
            workload_sha256: parameters.workload_sha256,
            since: parameters.since,
            until: parameters.until,
            include_invalid: parameters.include_invalid,
            include_superseded: parameters.include_superseded,
            after: parameters.after_recorded_at.zip(parameters.after_result_id.map(ResultId)),
        }
    }
}
