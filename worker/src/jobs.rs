//! The scheduled jobs: one line each. Like ticks they never fail towards the queue; the next tick of their schedule is
//! their next attempt.

use std::sync::Arc;

use accelbench_store::queue::ScheduledJob;
use apalis::prelude::{BoxDynError, Data};

use crate::schedules::{ALL, CATALOG, MODELS, PRICES, PRUNE, SWEEP};
use crate::worker::Worker;

mod prune;
pub mod refresh_catalog;
pub mod refresh_instances;
pub mod refresh_models;
pub mod refresh_prices;
mod sweep;

pub(crate) async fn handle(job: ScheduledJob, worker: Data<Arc<Worker>>) -> Result<(), BoxDynError> {
    let outcome = match job.schedule.as_str() {
        name if name == SWEEP.name => sweep::run(&worker.pool).await,
        name if name == PRUNE.name => prune::run(&worker.pool).await,
        name if name == PRICES.name => refresh_prices::run_due(&worker).await,
        name if name == CATALOG.name => {
            refresh_catalog::run(&worker.pool, &worker.secret_key, &worker.catalog).await
        }
        name if name == MODELS.name => refresh_models::run_due(&worker).await,
        unknown => Err(anyhow::anyhow!("no job is called `{unknown}`; was it enqueued by another release?")),
    };
    if let Some(schedule) = ALL.iter().find(|schedule| schedule.name == job.schedule) {
        worker.metrics.scheduled_job(schedule.name, &outcome);
    }
    if let Err(error) = outcome {
        tracing::warn!(schedule = job.schedule, due_at = %job.due_at, error = format!("{error:#}"), "a scheduled job failed");
    }
    Ok(())
}
