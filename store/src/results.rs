//! Results: recorded once, read in many ways, never changed.

use accelbench_core::result::{BenchmarkResult, Origin, ResultId};
use accelbench_core::run::RunId;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Error, Result};

mod metrics;
mod record;
pub(crate) mod row;

pub use record::record;
use row::ResultRow;

/// Which results to list; every `None` admits all. By default those that failed a validity check or were superseded
/// are left out.
#[derive(Debug, Clone, Default)]
pub struct ResultFilter {
    /// This result alone.
    pub result_id: Option<ResultId>,
    /// Results of this run.
    pub run_id: Option<RunId>,
    /// Results of this model.
    pub model: Option<String>,
    /// Results of this family of models.
    pub model_family: Option<String>,
    /// Results of models with at least this many parameters, in 10^9.
    pub min_params_b: Option<f64>,
    /// Results of models with at most this many parameters, in 10^9.
    pub max_params_b: Option<f64>,
    /// Results on this instance type.
    pub instance_type: Option<String>,
    /// Results on this family of instance types.
    pub instance_family: Option<String>,
    /// Results on this accelerator.
    pub accelerator_name: Option<String>,
    /// Results on this kind of accelerator.
    pub accelerator_kind: Option<String>,
    /// Results of this engine.
    pub engine: Option<String>,
    /// Results of this version of the engine.
    pub engine_version: Option<String>,
    /// Results at this precision.
    pub quantization: Option<String>,
    /// Results of this origin.
    pub origin: Option<Origin>,
    /// Results at this number of simultaneous requests.
    pub concurrency: Option<i32>,
    /// Results of the person with this name.
    pub submitted_by: Option<String>,
    /// Results of this workload.
    pub workload_sha256: Option<String>,
    /// Results recorded at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Results recorded before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Results that failed a validity check too.
    pub include_invalid: bool,
    /// Results that were superseded too.
    pub include_superseded: bool,
    /// Results after this one in the order of the list: the last of the previous page.
    pub after: Option<(DateTime<Utc>, ResultId)>,
}

/// Lists results, the newest first, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(
    connection: &mut PgConnection,
    filter: &ResultFilter,
    limit: i64,
) -> Result<Vec<BenchmarkResult>> {
    let rows = sqlx::query_file_as!(
        ResultRow,
        "queries/results/list.sql",
        filter.result_id.map(|id| id.0),
        filter.run_id.map(RunId::uuid),
        filter.model.as_deref(),
        filter.model_family.as_deref(),
        filter.min_params_b,
        filter.max_params_b,
        filter.instance_type.as_deref(),
        filter.instance_family.as_deref(),
        filter.accelerator_name.as_deref(),
        filter.accelerator_kind.as_deref(),
        filter.engine.as_deref(),
        filter.engine_version.as_deref(),
        filter.quantization.as_deref(),
        filter.origin.map(Origin::as_str),
        filter.concurrency,
        filter.submitted_by.as_deref(),
        filter.workload_sha256.as_deref(),
        filter.since,
        filter.until,
        filter.include_invalid,
        filter.include_superseded,
        filter.after.map(|(at, _)| at),
        filter.after.map(|(_, id)| id.0),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(BenchmarkResult::try_from).collect()
}

/// The result with this id, valid or not, superseded or not.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(connection: &mut PgConnection, id: ResultId) -> Result<BenchmarkResult> {
    let filter = ResultFilter {
        result_id: Some(id),
        include_invalid: true,
        include_superseded: true,
        ..ResultFilter::default()
    };
    let found = list(connection, &filter, 1).await?.pop();
    found.ok_or_else(|| Error::NotFound { what: "result", name: id.0.to_string() })
}

/// Marks a result as superseded by a later one of the same model, instance type and origin. Both stay.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Database`] with the constraint when it is superseded already or the two are not alike.
pub async fn supersede(
    connection: &mut PgConnection,
    old: ResultId,
    by: ResultId,
    reason: &str,
) -> Result<()> {
    find(connection, old).await?;
    find(connection, by).await?;
    sqlx::query!(
        "INSERT INTO result_supersessions (result_id, superseded_by, reason) VALUES ($1, $2, $3)",
        old.0,
        by.0,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}
