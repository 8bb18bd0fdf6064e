//! Runs: submitting, finding, cancelling and re-queueing them. Driving one forward is [`crate::lease`].

use std::time::Duration;

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::run::{EventKind, Priority, Run, RunId, RunSpec};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::queue::{self, Urgency};
use crate::{Error, Result, events};

mod idempotency;
mod like;
mod row;

pub use idempotency::{IdempotencyKey, KeptRun, find_kept};
pub use like::{MeasuredAlready, measured_already};
use row::RunRow;

/// A request that passed every check, ready to be written.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// What is asked for, with the revision resolved.
    pub spec: &'a RunSpec,
    /// The bytes behind the dataset's name.
    pub dataset_sha256: &'a Sha256Hex,
    /// Whose run it is.
    pub priority: Priority,
    /// The name that the person chose.
    pub submitted_by: Option<&'a str>,
    /// The person's Hugging Face token for this run, sealed for it.
    pub hf_token_sealed: Option<&'a [u8]>,
    /// Why the request names no commit, where the Hub was asked for it in vain.
    pub revision_absent_reason: Option<&'a str>,
    /// A second submission with the same key is the first one.
    pub idempotency_key: Option<IdempotencyKey<'a>>,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// The run was written and its first tick enqueued.
    New(RunId),
    /// A run with this idempotency key was there already; [`find_kept`] tells whether it is of the same request.
    Existing(RunId),
}

/// Writes a run and its first tick; both or none exist afterwards if the caller's transaction commits. The id is the
/// caller's, so that a token can be sealed for it beforehand.
///
/// # Errors
/// [`Error::Database`], with the constraint's name when the model, revision, instance type or dataset is unknown.
pub async fn submit(connection: &mut PgConnection, run_id: RunId, run: &NewRun<'_>) -> Result<Submitted> {
    if let Some(key) = &run.idempotency_key {
        idempotency::free(connection, key.key).await?;
    }
    if !insert(connection, run_id, run).await? {
        return existing(connection, run.idempotency_key).await;
    }
    events::append(connection, run_id, EventKind::Submitted, &submitted(run)).await?;
    queue::push_tick(connection, run_id, Urgency::Of(run.priority), Duration::ZERO).await?;
    Ok(Submitted::New(run_id))
}

/// What another submission under the same key came to, which was there first.
async fn existing(connection: &mut PgConnection, key: Option<IdempotencyKey<'_>>) -> Result<Submitted> {
    let kept = match &key {
        Some(key) => find_kept(connection, key).await?,
        None => None,
    };
    let kept =
        kept.ok_or_else(|| Error::Conflict("the Idempotency-Key is being used right now".to_owned()))?;
    Ok(Submitted::Existing(kept.run_id))
}

/// The first line of the timeline.
fn submitted(run: &NewRun<'_>) -> String {
    let RunSpec { model, instance_type, revision, .. } = run.spec;
    let revision = match (revision, run.revision_absent_reason) {
        (Some(revision), _) => format!(" at commit {revision}"),
        (None, Some(reason)) => format!("; the model's commit is not known: {reason}"),
        (None, None) => String::new(),
    };
    format!("submitted: {model} on {instance_type}{revision}")
}

async fn insert(connection: &mut PgConnection, run_id: RunId, run: &NewRun<'_>) -> Result<bool> {
    let spec = run.spec;
    let workload_sha256 = spec.workload.fingerprint(run.dataset_sha256);
    let inserted = sqlx::query_file!(
        "queries/runs/insert.sql",
        run_id.uuid(),
        spec.model.as_str(),
        spec.revision.as_ref().map(accelbench_core::model::Revision::as_str),
        spec.instance_type.as_str(),
        spec.platform.as_str(),
        Json(spec) as _,
        run.dataset_sha256.as_str(),
        workload_sha256.as_str(),
        spec.most_load_points().cast_signed(),
        i32::try_from(spec.timeout_s).unwrap_or(i32::MAX),
        spec.capacity_group().0,
        run.priority.as_str(),
        run.submitted_by,
        run.idempotency_key.map(|key| key.key),
        run.hf_token_sealed,
        run.revision_absent_reason,
        run.idempotency_key.map(|key| key.request_sha256.as_str()),
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Which runs to list; every `None` admits all.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// This run alone.
    pub run_id: Option<RunId>,
    /// Runs of this model.
    pub model: Option<String>,
    /// Runs on this instance type.
    pub instance_type: Option<String>,
    /// Runs of the person with this name.
    pub submitted_by: Option<String>,
    /// Runs in this phase.
    pub phase: Option<String>,
    /// Runs older than this one: the last of the previous page.
    pub before: Option<RunId>,
}

/// Lists runs, the newest first, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection, filter: &RunFilter, limit: i64) -> Result<Vec<Run>> {
    let rows = sqlx::query_file_as!(
        RunRow,
        "queries/runs/list.sql",
        filter.run_id.map(RunId::uuid),
        filter.model.as_deref(),
        filter.instance_type.as_deref(),
        filter.submitted_by.as_deref(),
        filter.phase.as_deref(),
        filter.before.map(RunId::uuid),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Run::try_from).collect()
}

/// The run with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(connection: &mut PgConnection, run_id: RunId) -> Result<Run> {
    let filter = RunFilter { run_id: Some(run_id), ..RunFilter::default() };
    let found = list(connection, &filter, 1).await?.pop();
    found.ok_or_else(|| Error::NotFound { what: "run", name: run_id.to_string() })
}

/// The bytes behind a run's dataset, by their hash.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn dataset_sha256(connection: &mut PgConnection, run_id: RunId) -> Result<Sha256Hex> {
    let sha256 = sqlx::query_scalar!("SELECT dataset_sha256 FROM runs WHERE run_id = $1", run_id.uuid())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| Error::NotFound { what: "run", name: run_id.to_string() })?;
    sha256.parse().map_err(|_invalid| Error::Corrupt {
        what: "dataset hash",
        owner: format!("run {run_id}"),
        source: None,
    })
}

/// What became of a request for cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// It was noted; the run is torn down within seconds.
    Requested,
    /// It had been asked for already.
    AlreadyRequested,
    /// The run is being torn down or finished: its end is decided.
    TooLate,
}

/// Notes that a run is to be cancelled, and wakes a worker.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn request_cancel(connection: &mut PgConnection, run_id: RunId) -> Result<Cancellation> {
    let noted = sqlx::query!(
        "UPDATE runs SET cancel_requested_at = now(), next_tick_at = now()
         WHERE run_id = $1 AND cancel_requested_at IS NULL AND phase NOT IN ('tearing_down', 'finished')",
        run_id.uuid(),
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if noted == 0 {
        let run = find(connection, run_id).await?;
        let too_late = run.phase.verdict().is_some();
        return Ok(if too_late { Cancellation::TooLate } else { Cancellation::AlreadyRequested });
    }
    events::append(connection, run_id, EventKind::CancelRequested, "cancellation requested").await?;
    queue::push_tick(connection, run_id, Urgency::Asked, Duration::ZERO).await?;
    Ok(Cancellation::Requested)
}

/// Lets a parked run go on.
///
/// # Errors
/// [`Error::Conflict`] when the run is not parked, [`Error::NotFound`] when there is none.
pub async fn requeue(connection: &mut PgConnection, run_id: RunId) -> Result<()> {
    let requeued = sqlx::query!(
        "UPDATE runs SET parked_reason = NULL, attempts = 0, next_tick_at = now()
         WHERE run_id = $1 AND parked_reason IS NOT NULL",
        run_id.uuid(),
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if requeued == 0 {
        let run = find(connection, run_id).await?;
        return Err(Error::Conflict(format!(
            "run {run_id} is {} and not parked: there is nothing to re-queue",
            run.phase
        )));
    }
    events::append(connection, run_id, EventKind::Requeued, "re-queued by a person").await?;
    queue::push_tick(connection, run_id, Urgency::Asked, Duration::ZERO).await
}

/// How long a run may be without a tick before the sweeper gives it one, and between two such gifts.
const SWEEP_GRACE_S: f64 = 3.0;

/// Gives a tick to every run that is alive but has none: its worker died, or a tick was lost. Returns how many.
///
/// # Errors
/// [`Error::Database`], [`Error::Queue`].
pub async fn revive(connection: &mut PgConnection) -> Result<u64> {
    let stranded =
        sqlx::query_file!("queries/runs/revive.sql", SWEEP_GRACE_S).fetch_all(&mut *connection).await?;
    for row in &stranded {
        let urgency = Urgency::Of(row::priority(&row.priority, row.run_id)?);
        queue::push_tick(connection, row.run_id.into(), urgency, Duration::ZERO).await?;
    }
    Ok(stranded.len() as u64)
}

/// Ids of all runs of a platform that still may have something on it.
///
/// # Errors
/// [`Error::Database`].
pub async fn alive(connection: &mut PgConnection) -> Result<Vec<RunId>> {
    let ids = sqlx::query_scalar!("SELECT run_id FROM runs WHERE phase <> 'finished'")
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(RunId::from).collect())
}
