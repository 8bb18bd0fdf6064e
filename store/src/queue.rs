//! The queue, on apalis. It carries wake-up calls only: a tick says "look at run R", a scheduled job says "this tick of
//! this schedule is due". Both are harmless when they come twice or late; the truth stands in the rows. Nothing else in
//! the project names apalis, but the worker that consumes these backends.

use std::time::Duration;

use accelbench_core::run::{Priority, RunId};
use apalis::prelude::TaskBuilder;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::{Error, Result};

/// Queue of the ticks.
pub const RUNS: &str = "runs";

/// Queue of the scheduled jobs.
pub const SCHEDULES: &str = "schedules";

/// "Look at this run": the payload is the run id alone.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Tick {
    /// The run to look at.
    pub run_id: RunId,
}

/// "This tick of this schedule is due."
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScheduledJob {
    /// Name of the schedule.
    pub schedule: String,
    /// The moment for which it was due.
    pub due_at: DateTime<Utc>,
}

/// How urgent a tick is within its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A person asked for something: cancellation, re-queueing.
    Asked,
    /// As the run's own priority says.
    Of(Priority),
}

impl Urgency {
    fn rank(self) -> usize {
        match self {
            Self::Asked => 20,
            Self::Of(Priority::Person) => 10,
            Self::Of(Priority::Catalog) => 0,
        }
    }
}

/// Enqueues a tick in the caller's transaction: it exists exactly if what it is about was written.
///
/// # Errors
/// [`Error::Queue`].
pub async fn push_tick(
    connection: &mut PgConnection,
    run_id: RunId,
    urgency: Urgency,
    delay: Duration,
) -> Result<()> {
    push(connection, RUNS, &Tick { run_id }, urgency.rank(), delay).await
}

/// Enqueues a scheduled job in the caller's transaction.
///
/// # Errors
/// [`Error::Queue`].
pub async fn push_scheduled(connection: &mut PgConnection, job: &ScheduledJob) -> Result<()> {
    push(connection, SCHEDULES, job, 0, Duration::ZERO).await
}

async fn push(
    connection: &mut PgConnection,
    queue: &str,
    payload: &impl Serialize,
    priority: usize,
    delay: Duration,
) -> Result<()> {
    let bytes = serde_json::to_vec(payload).map_err(|source| Error::Corrupt {
        what: "job payload",
        owner: format!("queue {queue}"),
        source: Some(source),
    })?;
    let mut task = TaskBuilder::new(bytes).priority(priority);
    if !delay.is_zero() {
        task = task.run_after(delay);
    }
    apalis_postgres::queries::push_tasks(connection, queue, vec![task.build()]).await?;
    Ok(())
}

/// The backend from which a worker takes the jobs of `queue`. Everything about it was measured: one job at a time
/// (a buffered batch stops apalis's heartbeat), and a heartbeat that outlasts a failover of the database.
#[must_use]
pub fn storage<T>(pool: &PgPool, queue: &str) -> PostgresStorage<T> {
    let config = Config::default()
        .queue(queue)
        .batch_size(1)
        .heartbeat_interval(Duration::from_secs(10))
        .missed_heartbeats(9);
    PostgresStorage::new(pool).with_config(config)
}

/// How often a worker looks for due jobs on its own, besides being notified of new ones.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// What a pruning removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Jobs that were done.
    pub jobs: u64,
    /// Registrations of workers that are gone.
    pub workers: u64,
}

/// Removes done jobs older than `keep` and the registrations of workers not seen for as long.
///
/// # Errors
/// [`Error::Database`].
pub async fn prune(connection: &mut PgConnection, keep: Duration) -> Result<Pruned> {
    let keep_s = keep.as_secs_f64();
    let jobs = sqlx::query!(
        "DELETE FROM apalis.jobs
         WHERE status IN ('Done', 'Killed', 'Failed') AND done_at < now() - make_interval(secs => $1)",
        keep_s,
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let workers = sqlx::query!(
        "DELETE FROM apalis.workers AS worker
         WHERE last_seen < now() - make_interval(secs => $1)
             AND NOT EXISTS (SELECT FROM apalis.jobs WHERE lock_by = worker.id)",
        keep_s,
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    Ok(Pruned { jobs, workers })
}
