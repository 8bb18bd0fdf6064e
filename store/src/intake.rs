//! What passes between a run and its load generator: the plan out, progress and reports in. A report that was
//! acknowledged is committed; the same report again is acknowledged again.

use std::time::Duration;

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadPlan, LoadProgress, LoadReport, SCHEMA_VERSION};
use accelbench_core::run::{EventKind, Phase, RunId};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::queue::{self, Urgency};
use crate::{Error, Result, events, models, runs};

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It was written.
    New,
    /// It was there already, to the letter.
    Same,
}

/// Where a run stands for its load generator.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time, for the length of one answer")]
pub enum PlanOfRun {
    /// The engine is not ready; there will be a plan if it becomes so.
    Coming,
    /// The run is loading, and this is its plan.
    Now(LoadPlan),
    /// The run takes no load any more.
    Over,
}

impl PlanOfRun {
    /// The plan, if there is one now.
    #[must_use]
    pub fn now(self) -> Option<LoadPlan> {
        match self {
            Self::Now(plan) => Some(plan),
            Self::Coming | Self::Over => None,
        }
    }
}

/// The plan of a run's load generator.
///
/// # Errors
/// [`Error::NotFound`] for an unknown run.
pub async fn plan(connection: &mut PgConnection, run_id: RunId) -> Result<PlanOfRun> {
    let run = runs::find(connection, run_id).await?;
    let endpoint = match (&run.phase, run.endpoint) {
        (Phase::Queued | Phase::Deploying | Phase::AwaitingReady, _) => return Ok(PlanOfRun::Coming),
        (Phase::Loading, Some(endpoint)) => endpoint,
        _ => return Ok(PlanOfRun::Over),
    };
    let max_context = models::find(connection, &run.spec.model).await?.max_context_tokens;
    let reported = sqlx::query_scalar!(
        "SELECT load_point_index FROM load_reports WHERE run_id = $1 ORDER BY load_point_index",
        run_id.uuid(),
    )
    .fetch_all(&mut *connection)
    .await?;
    Ok(PlanOfRun::Now(LoadPlan {
        schema_version: SCHEMA_VERSION,
        run_id,
        base_url: endpoint.base_url,
        served_model_name: endpoint.served_model_name,
        workload: run.spec.workload,
        dataset_sha256: runs::dataset_sha256(connection, run_id).await?,
        max_context_tokens: max_context.and_then(|tokens| u32::try_from(tokens).ok()),
        load_points: run.spec.load_points,
        measurement: run.spec.measurement,
        exploration: run.spec.exploration,
        explored: if run.spec.exploration.is_some() {
            reports(connection, run_id).await?
        } else {
            Vec::new()
        },
        slo: run.spec.slo,
        accelerator_metrics: endpoint.accelerator_metrics,
        reported: reported.into_iter().map(i32::cast_unsigned).collect(),
    }))
}

/// Takes a report that was checked against the plan. The caller's transaction must be committed before it is
/// acknowledged.
///
/// # Errors
/// [`Error::Conflict`] when the run takes no reports any more or has another one for this load point.
pub async fn put_report(
    connection: &mut PgConnection,
    run_id: RunId,
    report: &LoadReport,
) -> Result<Receipt> {
    let phase = sqlx::query_scalar!("SELECT phase FROM runs WHERE run_id = $1 FOR UPDATE", run_id.uuid())
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| Error::NotFound { what: "run", name: run_id.to_string() })?;
    let value = serde_json::to_value(report).map_err(|source| Error::Corrupt {
        what: "report",
        owner: format!("run {run_id}"),
        source: Some(source),
    })?;
    let sha256 = Sha256Hex::of(value.to_string().as_bytes());
    let index = report.load_point_index.cast_signed();
    if let Some(receipt) = compare_with_stored(connection, run_id, index, &sha256).await? {
        return Ok(receipt);
    }
    if phase != "loading" {
        return Err(Error::Conflict(format!("run {run_id} is {phase}: it takes no reports any more")));
    }
    sqlx::query!(
        "INSERT INTO load_reports (run_id, load_point_index, report, report_sha256) VALUES ($1, $2, $3, $4)",
        run_id.uuid(),
        index,
        value,
        sha256.as_str(),
    )
    .execute(&mut *connection)
    .await?;
    announce(connection, run_id, report).await?;
    Ok(Receipt::New)
}

async fn compare_with_stored(
    connection: &mut PgConnection,
    run_id: RunId,
    index: i32,
    sha256: &Sha256Hex,
) -> Result<Option<Receipt>> {
    let stored = sqlx::query_scalar!(
        "SELECT report_sha256 FROM load_reports WHERE run_id = $1 AND load_point_index = $2",
        run_id.uuid(),
        index,
    )
    .fetch_optional(connection)
    .await?;
    match stored {
        None => Ok(None),
        Some(stored) if stored == sha256.as_str() => Ok(Some(Receipt::Same)),
        Some(_) => Err(Error::Conflict(format!(
            "run {run_id} already has another report for load point {index}; reports are never changed"
        ))),
    }
}

async fn announce(connection: &mut PgConnection, run_id: RunId, report: &LoadReport) -> Result<()> {
    let message = format!(
        "report for {} arrived: {:.0} output tokens/s, TTFT p50 {:.1} ms, {} requests, {} failed",
        report.offered_load,
        report.output_tokens_per_s,
        report.ttft_ms.p50,
        report.requests_completed,
        report.failed(),
    );
    events::append(connection, run_id, EventKind::Detail, &message).await?;
    queue::push_tick(connection, run_id, Urgency::Asked, Duration::ZERO).await
}

/// Notes how far the load generator is; false when the run is not loading.
///
/// # Errors
/// [`Error::Database`].
pub async fn set_progress(
    connection: &mut PgConnection,
    run_id: RunId,
    progress: &LoadProgress,
) -> Result<bool> {
    let noted = sqlx::query!(
        "WITH noted AS (UPDATE runs SET progress = $2 WHERE run_id = $1 AND phase = 'loading' RETURNING run_id)
         INSERT INTO run_progress (run_id, progress) SELECT run_id, $2 FROM noted ON CONFLICT DO NOTHING",
        run_id.uuid(),
        Json(progress) as _,
    );
    Ok(noted.execute(connection).await?.rows_affected() == 1)
}

/// What a load generator told of the load point that is measured now, the oldest first, with when it did.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn progress_so_far(
    connection: &mut PgConnection,
    run_id: RunId,
) -> Result<Vec<(DateTime<Utc>, LoadProgress)>> {
    let rows = sqlx::query!(
        "SELECT told.at, told.progress FROM run_progress AS told JOIN runs AS run USING (run_id)
         WHERE told.run_id = $1 AND told.progress -> 'load_point_index' = run.progress -> 'load_point_index'
         ORDER BY told.at",
        run_id.uuid(),
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let progress = serde_json::from_value(row.progress).map_err(|source| Error::Corrupt {
                what: "progress",
                owner: format!("run {run_id}"),
                source: Some(source),
            })?;
            Ok((row.at, progress))
        })
        .collect()
}

/// Takes what an exploration found: its reports are complete. False when the run is not loading. The first conclusion
/// stays.
///
/// # Errors
/// [`Error::Conflict`] when the run explores nothing.
pub async fn set_conclusion(
    connection: &mut PgConnection,
    run_id: RunId,
    conclusion: &Conclusion,
) -> Result<bool> {
    // No report may arrive between the count and its use.
    let run = sqlx::query!(
        r#"SELECT phase, spec ? 'exploration' AS "explores!", conclusion IS NOT NULL AS "concluded!"
        FROM runs WHERE run_id = $1 FOR UPDATE"#,
        run_id.uuid(),
    );
    let run = run.fetch_optional(&mut *connection).await?;
    let run = run.ok_or_else(|| Error::NotFound { what: "run", name: run_id.to_string() })?;
    if !run.explores {
        return Err(Error::Conflict(format!("run {run_id} explores nothing that could be concluded")));
    }
    if run.concluded || run.phase != "loading" {
        return Ok(run.concluded);
    }
    sqlx::query!(
        "UPDATE runs SET conclusion = $2,
            load_point_count = (SELECT count(*)::integer FROM load_reports WHERE run_id = $1)
        WHERE run_id = $1",
        run_id.uuid(),
        Json(conclusion) as _,
    )
    .execute(&mut *connection)
    .await?;
    events::append(connection, run_id, EventKind::Detail, &format!("found: {}", conclusion.sentence)).await?;
    queue::push_tick(connection, run_id, Urgency::Asked, Duration::ZERO).await?;
    Ok(true)
}

/// Notes why the load cannot be measured, and wakes a worker; false when the run is not loading. The first reason
/// stays.
///
/// # Errors
/// [`Error::Database`], [`Error::Queue`].
pub async fn set_failure(connection: &mut PgConnection, run_id: RunId, reason: &str) -> Result<bool> {
    let noted = sqlx::query!(
        "UPDATE runs SET load_failure = coalesce(load_failure, $2) WHERE run_id = $1 AND phase = 'loading'",
        run_id.uuid(),
        reason,
    );
    if noted.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    events::append(connection, run_id, EventKind::Detail, &format!("the load generator gave up: {reason}"))
        .await?;
    queue::push_tick(connection, run_id, Urgency::Asked, Duration::ZERO).await?;
    Ok(true)
}

/// Why the load generator gave up, if it did.
///
/// # Errors
/// [`Error::Database`].
pub async fn failure(connection: &mut PgConnection, run_id: RunId) -> Result<Option<String>> {
    let failure = sqlx::query_scalar!("SELECT load_failure FROM runs WHERE run_id = $1", run_id.uuid());
    Ok(failure.fetch_optional(connection).await?.flatten())
}

/// How many reports of a run have arrived.
///
/// # Errors
/// [`Error::Database`].
pub async fn report_count(connection: &mut PgConnection, run_id: RunId) -> Result<usize> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM load_reports WHERE run_id = $1"#,
        run_id.uuid()
    );
    Ok(usize::try_from(count.fetch_one(connection).await?).unwrap_or_default())
}

/// The reports of a run in the order of their load points.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn reports(connection: &mut PgConnection, run_id: RunId) -> Result<Vec<LoadReport>> {
    let rows = sqlx::query_scalar!(
        "SELECT report FROM load_reports WHERE run_id = $1 ORDER BY load_point_index",
        run_id.uuid(),
    );
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|value| {
            serde_json::from_value(value).map_err(|source| Error::Corrupt {
                what: "report",
                owner: format!("run {run_id}"),
                source: Some(source),
            })
        })
        .collect()
}
