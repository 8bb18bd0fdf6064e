//! `accelbench worker`: takes runs from the queue. Any number may run, on any number of machines.

use accelbench_worker::{Worker, WorkerOptions};
use clap::Args;

use super::serve::secret_key_from_environment;
use crate::database::DatabaseOptions;
use crate::metrics::{MetricsOptions, of_process};
use crate::shutdown;

#[derive(Debug, Args)]
pub(crate) struct WorkerCommandOptions {
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    worker: WorkerOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

pub(crate) async fn worker(options: WorkerCommandOptions) -> anyhow::Result<()> {
    let secret_key = secret_key_from_environment()?;
    let pool = options.database.connect().await?;
    let worker = Worker::new(&options.worker, pool.clone(), secret_key).await?;
    let (counters, pulse) = (worker.metrics(), worker.pulse());
    let metrics =
        || of_process(pool).with(|registry| counters.register(registry)).with_health(move || pulse.beats());
    options.metrics.show(metrics).await?;
    accelbench_worker::run(worker, options.worker, shutdown::wait()).await
}
