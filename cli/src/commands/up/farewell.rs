//! Before everything on this machine ends: the runs on it are cancelled and torn down while the worker still works, so
//! that no engine is left behind and each run's record says what happened.

use std::time::Duration;

use accelbench_core::run::{PlatformSpec, RunId};
use accelbench_store::runs::{self, RunFilter};
use accelbench_store::{PgPool, Result};
use tokio::time::Instant;

use crate::output::notice;
use crate::shutdown;

const PATIENCE: Duration = Duration::from_secs(20);

/// Cancels the local runs that are under way and waits for their end; a second Ctrl-C ends the waiting.
pub(super) async fn end_local_runs(pool: &PgPool) {
    tokio::select! {
        ended = cancel_and_wait(pool) => {
            if let Err(error) = ended {
                notice(&format!("the runs under way could not be ended: {error}"));
            }
        }
        _ = shutdown::requested() => notice("not waiting for the runs under way"),
    }
}

async fn cancel_and_wait(pool: &PgPool) -> Result<()> {
    let under_way = local_runs(pool).await?;
    if under_way.is_empty() {
        return Ok(());
    }
    notice(&format!("ending {} run(s) under way; Ctrl-C again to leave at once", under_way.len()));
    for run_id in &under_way {
        let mut transaction = pool.begin().await?;
        runs::request_cancel(&mut transaction, *run_id).await?;
        transaction.commit().await?;
    }
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until && !local_runs(pool).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The runs that have something on this machine. Queued ones wait for the next start.
async fn local_runs(pool: &PgPool) -> Result<Vec<RunId>> {
    let mut connection = pool.acquire().await?;
    let mut under_way = Vec::new();
    for phase in ["deploying", "awaiting_ready", "loading", "recording", "tearing_down"] {
        let filter = RunFilter { phase: Some(phase.to_owned()), ..RunFilter::default() };
        let runs = runs::list(&mut connection, &filter, 1000).await?;
        let local = runs.into_iter().filter(|run| {
            run.parked_reason.is_none()
                && matches!(run.spec.platform, PlatformSpec::Local { .. } | PlatformSpec::Endpoint { .. })
        });
        under_way.extend(local.map(|run| run.id));
    }
    Ok(under_way)
}
