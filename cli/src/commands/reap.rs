//! `accelbench reap`: the last net under runs on a cluster. It needs neither server nor database.

use std::time::Duration;

use accelbench_worker::platform::kubernetes::reap;
use clap::Args;

/// Which runs to end.
#[derive(Debug, Args)]
pub(crate) struct ReapOptions {
    /// The namespace of the runs
    #[arg(long, env = "ACCELBENCH_RUNS_NAMESPACE", default_value = "accelbench-runs")]
    namespace: String,
    /// End runs whose worker was not heard of for this long, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(60..))]
    unrenewed: u64,
}

pub(crate) async fn reap(options: ReapOptions) -> anyhow::Result<()> {
    let reaped = reap::reap(&options.namespace, Duration::from_secs(options.unrenewed)).await?;
    for reaped in &reaped {
        tracing::warn!(run.id = %reaped.run_id, reason = reaped.reason, "a run's Lease was deleted");
    }
    tracing::info!(runs = reaped.len(), namespace = options.namespace, "leftovers were looked for");
    Ok(())
}
