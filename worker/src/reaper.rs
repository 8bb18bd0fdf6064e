//! Looks after leftovers on this machine: whatever is there of a run that is finished or that nobody knows is removed.
//! This catches what no single step can, for instance an engine started by a worker that had slept through the loss of
//! its lease.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use accelbench_core::run::RunId;
use accelbench_store::runs;

use crate::platform::{Platform, Teardown};
use crate::worker::Worker;

const INTERVAL: Duration = Duration::from_secs(5);

/// Looks at once and then again and again, until the worker stops.
pub(crate) async fn keep(worker: Arc<Worker>) {
    while !worker.stopping.is_cancelled() {
        for platform in worker.platforms.all() {
            if let Err(error) = reap(&worker, platform).await {
                tracing::warn!(error = format!("{error:#}"), "leftovers could not be looked after");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = worker.stopping.cancelled() => {}
        }
    }
}

async fn reap(worker: &Worker, platform: &dyn Platform) -> anyhow::Result<()> {
    // The platform is read first: a run that appears afterwards is not touched, and a finished one never comes back.
    let present = platform.present().await?;
    if present.is_empty() {
        return Ok(());
    }
    let mut connection = worker.pool.acquire().await?;
    let alive: HashSet<RunId> = runs::alive(&mut connection).await?.into_iter().collect();
    for run_id in present.into_iter().filter(|run_id| !alive.contains(run_id)) {
        if platform.teardown(run_id).await? == Teardown::Gone {
            platform.forget(run_id).await?;
            worker.metrics.leftovers_removed();
            tracing::info!(run.id = %run_id, "leftovers of a run were removed");
        }
    }
    Ok(())
}
