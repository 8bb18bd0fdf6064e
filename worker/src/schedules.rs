//! What repeats by the clock. Every worker knows every schedule; the one that claims a tick first enqueues its job, so
//! that each tick is enqueued exactly once, however many workers there are.

use std::sync::Arc;
use std::time::Duration;

use accelbench_store::{Error, schedules};
use chrono::{DateTime, Utc};

use crate::worker::Worker;
use accelbench_store::error::chain;

/// A job that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) name: &'static str,
    pub(crate) period: Duration,
}

/// Gives a tick to runs that lost theirs.
pub(crate) const SWEEP: Schedule = Schedule { name: "sweep", period: Duration::from_secs(2) };
/// Removes what the queue no longer needs.
pub(crate) const PRUNE: Schedule = Schedule { name: "prune", period: Duration::from_mins(10) };
/// Submits the runs of catalog entries that are due.
pub(crate) const CATALOG: Schedule = Schedule { name: "catalog", period: Duration::from_mins(5) };

/// Asks the Hub for newer commits of what the catalog keeps fresh, of each model once a day.
pub(crate) const MODELS: Schedule = Schedule { name: "models", period: Duration::from_mins(5) };

/// Asks for live prices where they are a day old; a fresh installation has them within minutes.
pub(crate) const PRICES: Schedule = Schedule { name: "prices", period: Duration::from_mins(5) };

/// Every schedule.
pub(crate) const ALL: [Schedule; 5] = [SWEEP, PRUNE, CATALOG, PRICES, MODELS];

/// Claims ticks as they become due, until the worker stops.
pub(crate) async fn keep(worker: Arc<Worker>) {
    let prices = async {
        // Without regions nobody asks.
        if !worker.prices.regions.is_empty() {
            keep_one(&worker, PRICES).await;
        }
    };
    let catalog = async {
        // Without a budget nothing is kept fresh, and no commit matters.
        if worker.catalog.budget_usd.is_some() {
            tokio::join!(keep_one(&worker, CATALOG), keep_one(&worker, MODELS));
        }
    };
    tokio::join!(keep_one(&worker, SWEEP), keep_one(&worker, PRUNE), catalog, prices);
}

async fn keep_one(worker: &Worker, schedule: Schedule) {
    loop {
        let due_at = next_due(schedule.period, Utc::now());
        let pause = (due_at - Utc::now()).to_std().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = worker.stopping.cancelled() => return,
        }
        worker.pulse.beat();
        if let Err(error) = claim(worker, schedule, due_at).await {
            tracing::warn!(
                schedule = schedule.name,
                error = chain(&error),
                "a scheduled tick could not be claimed"
            );
        }
    }
}

async fn claim(worker: &Worker, schedule: Schedule, due_at: DateTime<Utc>) -> Result<bool, Error> {
    let mut transaction = worker.pool.begin().await?;
    let claimed = schedules::claim(&mut transaction, schedule.name, due_at, &worker.name).await?;
    transaction.commit().await?;
    Ok(claimed)
}

/// The first multiple of the period, counted from 1970, after `now`: the same moment for every worker.
fn next_due(period: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let period_s = i64::try_from(period.as_secs()).unwrap_or(i64::MAX).max(1);
    let due_s = (now.timestamp().div_euclid(period_s) + 1) * period_s;
    DateTime::from_timestamp(due_s, 0).unwrap_or(now + period)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::next_due;

    #[test]
    fn every_worker_computes_the_same_moment() {
        let at = |milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap();
        for (now, due) in [(0, 10), (1, 10), (9_999, 10), (10_000, 20), (10_001, 20)] {
            assert_eq!(next_due(Duration::from_secs(10), at(now)), at(due * 1000), "{now}");
        }
    }
}
