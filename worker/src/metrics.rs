//! What a worker counts for Prometheus. What never happened is 0, not absent, so that a rule can tell it from a worker that
//! is gone. Counting never fails a run: a price that is not known adds nothing.

use std::sync::atomic::AtomicU64;

use accelbench_core::cost;
use accelbench_core::cost::DiscountFactor;
use accelbench_core::price::PricingTier;
use accelbench_core::run::{Phase, PlatformSpec, Run};
use accelbench_store::error::chain;
use accelbench_store::{Error, instances, prices};
use chrono::Utc;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::schedules;
use crate::worker::Worker;

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Fraction = Counter<f64, AtomicU64>;

/// The phases in which time passes.
const VERDICTS: [&str; 3] = ["succeeded", "failed", "cancelled"];
const TICK_OUTCOMES: [&str; 3] = ["done", "lease_lost", "failed"];
const JOB_OUTCOMES: [&str; 2] = ["done", "failed"];

/// From a tenth of a second to two hours, which is as long as a run may take.
const PHASE_BUCKETS_S: [f64; 12] =
    [0.1, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, 7200.0];

/// The counters of one worker.
#[derive(Debug, Clone)]
pub struct WorkerMetrics {
    runs_finished: Family<Labels<1>, Counter>,
    run_phase_duration_s: Family<Labels<1>, Histogram>,
    accelerator_s: Family<Labels<1>, Fraction>,
    spent_usd: Family<Labels<1>, Fraction>,
    ticks: Family<Labels<1>, Counter>,
    scheduled_jobs: Family<Labels<2>, Counter>,
    leftovers_removed: Counter,
}

impl Default for WorkerMetrics {
    fn default() -> Self {
        let metrics = Self {
            runs_finished: Family::default(),
            run_phase_duration_s: Family::new_with_constructor(|| Histogram::new(PHASE_BUCKETS_S)),
            accelerator_s: Family::default(),
            spent_usd: Family::default(),
            ticks: Family::default(),
            scheduled_jobs: Family::default(),
            leftovers_removed: Counter::default(),
        };
        metrics.begin();
        metrics
    }
}

impl WorkerMetrics {
    fn begin(&self) {
        for phase in Phase::WORDS.into_iter().filter(|phase| *phase != "finished") {
            drop(self.run_phase_duration_s.get_or_create(&[("phase", phase)]));
            drop(self.accelerator_s.get_or_create(&[("phase", phase)]));
            drop(self.spent_usd.get_or_create(&[("phase", phase)]));
        }
        for verdict in VERDICTS {
            drop(self.runs_finished.get_or_create(&[("verdict", verdict)]));
        }
        for outcome in TICK_OUTCOMES {
            drop(self.ticks.get_or_create(&[("outcome", outcome)]));
        }
        for (schedule, outcome) in
            schedules::ALL.iter().flat_map(|schedule| JOB_OUTCOMES.map(|outcome| (schedule.name, outcome)))
        {
            drop(self.scheduled_jobs.get_or_create(&[("schedule", schedule), ("outcome", outcome)]));
        }
    }

    /// Shows the counters under the names of docs/metrics.md.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("runs_finished", "Runs that ended, by verdict", self.runs_finished.clone());
        registry.register(
            "run_phase_duration_seconds",
            "How long runs were in each phase that they left",
            self.run_phase_duration_s.clone(),
        );
        registry.register(
            "accelerator_seconds",
            "Seconds times accelerators that runs on the cluster held; in all phases but loading they idle",
            self.accelerator_s.clone(),
        );
        registry.register(
            "spent_usd",
            "What the instances of runs on the cluster cost at on-demand prices, in US dollars",
            self.spent_usd.clone(),
        );
        registry.register("ticks", "Looks at a run, by outcome", self.ticks.clone());
        registry.register(
            "scheduled_jobs",
            "Scheduled jobs, by schedule and outcome",
            self.scheduled_jobs.clone(),
        );
        registry.register(
            "leftovers_removed",
            "Runs of which something was left that belonged to nobody and was removed",
            self.leftovers_removed.clone(),
        );
    }

    pub(crate) fn tick(&self, outcome: &Result<(), Error>) {
        let [done, lease_lost, failed] = TICK_OUTCOMES;
        let outcome = match outcome {
            Ok(()) => done,
            Err(Error::LeaseLost(_)) => lease_lost,
            Err(_) => failed,
        };
        self.ticks.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub(crate) fn scheduled_job(&self, schedule: &'static str, outcome: &anyhow::Result<()>) {
        let [done, failed] = JOB_OUTCOMES;
        let outcome = if outcome.is_ok() { done } else { failed };
        self.scheduled_jobs.get_or_create(&[("schedule", schedule), ("outcome", outcome)]).inc();
    }

    pub(crate) fn leftovers_removed(&self) {
        self.leftovers_removed.inc();
    }
}

/// Counts that a run has left the phase in which `run` has it; called once that is committed.
pub(crate) async fn phase_left(worker: &Worker, run: &Run) {
    let (metrics, phase) = (&worker.metrics, run.phase.as_str());
    let seconds = (Utc::now() - run.phase_since).num_milliseconds().max(0) as f64 / 1000.0;
    metrics.run_phase_duration_s.get_or_create(&[("phase", phase)]).observe(seconds);
    if let Some(verdict) = run.phase.verdict() {
        metrics.runs_finished.get_or_create(&[("verdict", verdict.as_str())]).inc();
    }
    // Nothing is paid for while a run waits, nor on the worker's own machine or at an endpoint.
    if phase == "queued" || !matches!(run.spec.platform, PlatformSpec::Kubernetes { .. }) {
        return;
    }
    if let Err(error) = instance_held(worker, run, seconds).await {
        tracing::warn!(run.id = %run.id, error = chain(&error), "what the run's instance cost is not counted");
    }
}

async fn instance_held(worker: &Worker, run: &Run, seconds: f64) -> Result<(), Error> {
    let (metrics, phase) = (&worker.metrics, run.phase.as_str());
    let mut connection = worker.pool.acquire().await?;
    let instance = instances::find(&mut connection, &run.spec.instance_type).await?;
    let accelerators = f64::from(instance.accelerator_count.unwrap_or_default());
    metrics.accelerator_s.get_or_create(&[("phase", phase)]).inc_by(seconds * accelerators);
    let region = &worker.catalog.region;
    let list = prices::list_at(&mut connection, region, PricingTier::OnDemand, Utc::now()).await?;
    let price = list.hourly(&run.spec.instance_type, DiscountFactor::NONE);
    if let Some(cost) = cost::of_run(&price, seconds).value() {
        metrics.spent_usd.get_or_create(&[("phase", phase)]).inc_by(*cost);
    }
    Ok(())
}
