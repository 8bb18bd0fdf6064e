//! Results that are recorded while the catalog is read, as workers do it: a run at a time, under every trigger.

use std::time::{Duration, Instant};

use accelbench_store::{PgPool, connect};
use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::population::Population;

/// Results of a run that `live.sql` lets live.
const RESULTS_PER_RUN: u32 = 20;

/// Records until it is stopped.
pub(super) struct Writer {
    enough: CancellationToken,
    recording: JoinHandle<anyhow::Result<f64>>,
}

pub(super) async fn start(population: &Population, results_per_s: u32) -> anyhow::Result<Writer> {
    let pool = connect(&population.url, 1).await?;
    let enough = CancellationToken::new();
    let recording = tokio::spawn(record(pool, results_per_s.max(1), enough.clone()));
    Ok(Writer { enough, recording })
}

impl Writer {
    /// Stops, and says how many results were recorded per second.
    pub(super) async fn stop(self) -> anyhow::Result<f64> {
        self.enough.cancel();
        self.recording.await.context("recording did not end well")?
    }
}

async fn record(pool: PgPool, results_per_s: u32, enough: CancellationToken) -> anyhow::Result<f64> {
    let mut due = interval(Duration::from_secs(1) * RESULTS_PER_RUN / results_per_s);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begin = Instant::now();
    let mut runs: u32 = 0;
    loop {
        tokio::select! {
            () = enough.cancelled() => break,
            _ = due.tick() => {}
        }
        sqlx::query("SELECT synthetic.live_a_run()").execute(&pool).await?;
        runs += 1;
    }
    Ok(f64::from(runs * RESULTS_PER_RUN) / begin.elapsed().as_secs_f64())
}
