//! One tick of one run: take the lease, let the driver work for a moment, and give the run back.

use std::sync::Arc;
use std::time::Duration;

use accelbench_store::lease::{self, Lease};
use accelbench_store::queue::Tick;
use accelbench_store::{Error, PgPool};
use apalis::prelude::{BoxDynError, Data};

use crate::driver::Driver;
use crate::worker::Worker;
use accelbench_store::error::chain;

/// How long a run stays with a worker that says nothing. A worker that dies costs its run about this long.
const LEASE: Duration = Duration::from_secs(8);

/// How often a living worker renews its lease.
const RENEWAL: Duration = Duration::from_secs(2);

/// Handles a tick. It never fails towards the queue: apalis would repeat it at once and without pause, while our own
/// rows know when to look again.
pub(crate) async fn handle(tick: Tick, worker: Data<Arc<Worker>>) -> Result<(), BoxDynError> {
    let outcome = work(tick, &worker).await;
    worker.metrics.tick(&outcome);
    if let Err(error) = outcome {
        match error {
            // Another worker carries on with the run: that is how it is meant.
            Error::LeaseLost(_) => {
                tracing::info!(run.id = %tick.run_id, "the lease was lost to another worker");
            }
            error => tracing::warn!(run.id = %tick.run_id, error = chain(&error), "a tick broke off"),
        }
    }
    Ok(())
}

async fn work(tick: Tick, worker: &Worker) -> Result<(), Error> {
    // Subscribed before the row is read, so that nothing that happens afterwards is missed.
    let changes = worker.notifications.subscribe();
    let mut connection = worker.pool.acquire().await.map_err(Error::from)?;
    let taken = lease::take(&mut connection, tick.run_id, &worker.name, LEASE).await?;
    drop(connection);
    let Some((lease, run)) = taken else { return Ok(()) };
    tokio::select! {
        done = Driver::new(worker, lease, changes).work(run) => done,
        lost = renew_until_lost(&worker.pool, lease) => Err(lost),
    }
}

/// Renews the lease for as long as it holds. A database that is away is waited for: nobody else can take the run
/// meanwhile, and if somebody does afterwards, the next renewal says so.
async fn renew_until_lost(pool: &PgPool, lease: Lease) -> Error {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let renewed = match pool.acquire().await {
            Ok(mut connection) => lease::renew(&mut connection, lease, LEASE).await,
            Err(error) => Err(error.into()),
        };
        match renewed {
            Err(lost @ Error::LeaseLost(_)) => return lost,
            Err(error) => {
                tracing::warn!(run.id = %lease.run_id, error = chain(&error), "the lease could not be renewed");
            }
            Ok(()) => {}
        }
    }
}
