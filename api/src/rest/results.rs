//! Results: every one of them, whatever is held against it, with its costs and the others of its configuration. What is
//! current of them is the catalog.

use std::str::FromStr;

use accelbench_core::cost::Throughput;
use accelbench_core::result::{BenchmarkResult, Origin, ResultId};
use accelbench_core::run::RunId;
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{Error, PgConnection, catalog, runs};
use axum::Json;
use axum::extract::State;
use axum::response::NoContent;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::address::InAddress;
use crate::app::App;
use crate::body::{JsonBody, Parameters, PathRun};
use crate::error::ApiError;
use crate::rest::catalog::CatalogAnswer;
use crate::rest::paging;
use crate::rest::pricing::PricingParameters;
use crate::tier_costs::{self, CostParameters, TierCosts};

/// Results of one configuration that are shown at once: two years of weekly ones.
const MOST_HISTORY: u32 = 100;

#[derive(Debug, Default, Deserialize, JsonSchema)]
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
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResultList {
    results: Vec<BenchmarkResult>,
    /// What to give as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The last result of a page, as its list is ordered.
struct After(DateTime<Utc>, ResultId);

impl FromStr for After {
    type Err = InvalidAfter;

    fn from_str(text: &str) -> Result<Self, InvalidAfter> {
        let (microseconds, id) = text.split_once('_').ok_or(InvalidAfter)?;
        let at = microseconds.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or(InvalidAfter)?;
        Ok(Self(at, ResultId(id.parse().map_err(|_no_uuid| InvalidAfter)?)))
    }
}

struct InvalidAfter;

/// A result with what it costs in every tier.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PricedResult {
    #[serde(flatten)]
    result: BenchmarkResult,
    costs: Vec<TierCosts>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Supersession {
    by: Uuid,
    reason: String,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ResultParameters>,
) -> Result<Json<ResultList>, ApiError> {
    let limit = paging::limit(parameters.limit, 100)?;
    let filter = ResultFilter::try_from(parameters)?;
    let results = results::list(&mut *app.connection().await?, &filter, i64::from(limit)).await?;
    let cursor = |last: &BenchmarkResult| format!("{}_{}", last.recorded_at.timestamp_micros(), last.id.0);
    let next_cursor = paging::next(&results, limit, cursor);
    Ok(Json(ResultList { results, next_cursor }))
}

pub(crate) async fn of_run(
    State(app): State<App>,
    PathRun(run_id): PathRun,
) -> Result<Json<ResultList>, ApiError> {
    let mut connection = app.connection().await?;
    runs::find(&mut connection, run_id).await?;
    Ok(Json(ResultList { results: load_of_run(&mut connection, run_id).await?, next_cursor: None }))
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
    InAddress(result_id): InAddress<ResultId>,
    Parameters(parameters): Parameters<CostParameters>,
) -> Result<Json<PricedResult>, ApiError> {
    let mut connection = app.connection().await?;
    let result = results::find(&mut connection, result_id).await?;
    let costs = tier_costs::of_every_tier(
        &mut connection,
        &result.provenance.instance_type,
        &Throughput::of(&result.report),
        &parameters,
    )
    .await?;
    Ok(Json(PricedResult { result, costs }))
}

/// The valid results of the same configuration, the current one first.
pub(crate) async fn history(
    State(app): State<App>,
    InAddress(result_id): InAddress<ResultId>,
    Parameters(parameters): Parameters<PricingParameters>,
) -> Result<Json<CatalogAnswer>, ApiError> {
    let pricing = parameters.try_into()?;
    let page = catalog::history(&mut *app.connection().await?, result_id, &pricing, MOST_HISTORY).await?;
    Ok(Json(CatalogAnswer::of(page, pricing)))
}

pub(crate) async fn supersede(
    State(app): State<App>,
    InAddress(old): InAddress<ResultId>,
    JsonBody(supersession): JsonBody<Supersession>,
) -> Result<NoContent, ApiError> {
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    results::supersede(&mut transaction, old, ResultId(supersession.by), &supersession.reason).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(NoContent)
}

impl TryFrom<ResultParameters> for ResultFilter {
    type Error = ApiError;

    fn try_from(parameters: ResultParameters) -> Result<Self, ApiError> {
        let after: Option<After> = paging::cursor(parameters.cursor.as_deref())?;
        Ok(Self {
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
            after: after.map(|After(at, id)| (at, id)),
        })
    }
}
