//! Ticks of schedules, each claimed by exactly one worker.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::Result;
use crate::queue::{self, ScheduledJob};

/// Claims a tick and enqueues its job; false when somebody else has claimed it. The caller's transaction holds both
/// together.
///
/// # Errors
/// [`crate::Error::Database`], [`crate::Error::Queue`].
pub async fn claim(
    connection: &mut PgConnection,
    schedule: &str,
    due_at: DateTime<Utc>,
    claimed_by: &str,
) -> Result<bool> {
    let claimed = sqlx::query!(
        "INSERT INTO schedule_ticks (schedule, due_at, claimed_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        schedule,
        due_at,
        claimed_by,
    )
    .execute(&mut *connection)
    .await?
    .rows_affected()
        == 1;
    if claimed {
        queue::push_scheduled(connection, &ScheduledJob { schedule: schedule.to_owned(), due_at }).await?;
    }
    Ok(claimed)
}

/// Forgets ticks older than `keep`. A tick that is forgotten could be claimed again only by a worker whose clock is
/// behind by as much.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn prune(connection: &mut PgConnection, keep: Duration) -> Result<u64> {
    let pruned = sqlx::query!(
        "DELETE FROM schedule_ticks WHERE due_at < now() - make_interval(secs => $1)",
        keep.as_secs_f64(),
    );
    Ok(pruned.execute(connection).await?.rows_affected())
}
