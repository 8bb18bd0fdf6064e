//! Removes what the queue no longer needs. The history of a run is its timeline, not the queue's rows.

use std::time::Duration;

use accelbench_store::{PgPool, queue, schedules};

const KEEP: Duration = Duration::from_hours(1);

pub(super) async fn run(pool: &PgPool) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    let pruned = queue::prune(&mut transaction, KEEP).await?;
    let ticks = schedules::prune(&mut transaction, KEEP).await?;
    transaction.commit().await?;
    tracing::debug!(
        jobs = pruned.jobs,
        workers = pruned.workers,
        schedule.ticks = ticks,
        "the queue was pruned"
    );
    Ok(())
}
