//! How many runs of a capacity group may be under way at once. The count and the claim happen under one lock a group,
//! so that the limit holds over all workers.

use std::time::Duration;

use accelbench_core::run::{CapacityGroup, Priority, RunId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Result;
use crate::queue::{self, Urgency};

/// Takes the group's lock until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection, group: &CapacityGroup) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('accelbench capacity ' || $1, 0))", group.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// How long a node without a run is kept, as our node pools have it. Nothing breaks where it is another time.
const NODE_TTL: Duration = Duration::from_mins(10);

/// The runs that may leave the queue now, in the order in which they do, as many as there are free places: a person's
/// before the catalog's; the catalog's that can have a node of one that was just there; older ones first.
pub(crate) async fn next_in_line(
    connection: &mut PgConnection,
    group: &CapacityGroup,
) -> Result<Vec<(Uuid, Priority)>> {
    let rows = sqlx::query_file!("queries/runs/next_in_line.sql", group.0, NODE_TTL.as_secs_f64());
    let rows = rows.fetch_all(connection).await?;
    let priority = |word: &str| {
        if word == Priority::Person.as_str() { Priority::Person } else { Priority::Catalog }
    };
    Ok(rows.into_iter().map(|row| (row.run_id, priority(&row.priority))).collect())
}

/// Wakes the runs of the group that may leave the queue now. Called whenever a place becomes free.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database), [`Error::Queue`](crate::Error::Queue).
pub async fn wake_next_in_line(connection: &mut PgConnection, group: &CapacityGroup) -> Result<u64> {
    let next = next_in_line(connection, group).await?;
    for &(run_id, priority) in &next {
        queue::push_tick(connection, run_id.into(), Urgency::Of(priority), Duration::ZERO).await?;
    }
    Ok(next.len() as u64)
}

/// Wakes the next runs of every group that has runs in the queue and free places: the sweeper's remedy for a wake-up
/// that was lost.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database), [`Error::Queue`](crate::Error::Queue).
pub async fn wake_stranded(connection: &mut PgConnection) -> Result<u64> {
    let groups = sqlx::query_scalar!("SELECT DISTINCT capacity_group FROM runs WHERE phase = 'queued'")
        .fetch_all(&mut *connection)
        .await?;
    let mut woken = 0;
    for group in groups {
        woken += wake_next_in_line(connection, &CapacityGroup(group)).await?;
    }
    Ok(woken)
}

/// Sets how many runs of a group (its full name, its kind such as `local`, or `*`) may be under way at once.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database) with the constraint for a limit of 0.
pub async fn set_limit(connection: &mut PgConnection, group: &str, max_runs: i32) -> Result<()> {
    sqlx::query!(
        "INSERT INTO capacity_limits (capacity_group, max_runs) VALUES ($1, $2)
         ON CONFLICT (capacity_group) DO UPDATE SET max_runs = excluded.max_runs",
        group,
        max_runs,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many runs stand before this one in its group's queue; `None` when it is not queued.
///
/// # Errors
/// [`Error::Database`](crate::Error::Database).
pub async fn queue_position(connection: &mut PgConnection, run_id: RunId) -> Result<Option<i64>> {
    let ahead = sqlx::query_file_scalar!("queries/runs/queue_position.sql", run_id.uuid())
        .fetch_optional(connection)
        .await?;
    Ok(ahead.flatten())
}
