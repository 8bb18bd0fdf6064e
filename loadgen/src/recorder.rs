//! Makes the report of a load point from its samples. A failed request is in no latency and always in the error share.

use std::collections::BTreeMap;
use std::time::Duration;

use accelbench_core::load::{ErrorClass, ItlBasis, LoadPlan, LoadReport, SCHEMA_VERSION};
use accelbench_core::observed::Observed;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};

use crate::checks;
use crate::metrics::{self, AcceleratorMetrics, Look};
use crate::point::Point;
use crate::sample::{Answer, Sample};

mod goodput;
mod latencies;
mod rates;
mod series;

use latencies::Latencies;

/// What is known of a load point besides its samples.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances {
    pub(crate) load_point_index: u32,
    /// The wall clock at the moment from which the samples count.
    pub(crate) base: DateTime<Utc>,
    pub(crate) loop_lag_p99: Duration,
    /// Share of the window in which the thread of the load was computing, where the machine tells.
    pub(crate) busy_share: Option<f64>,
    /// How much longer the load point lasted on the wall clock than on the monotonic one.
    pub(crate) clock_drift: TimeDelta,
    /// What engine and accelerators said of themselves in the window.
    pub(crate) looks: Vec<Look>,
    /// Whether prompts were cut by the engine's own count.
    pub(crate) exact_input: bool,
    /// How many requests had a prompt that was never sent before, where that number is limited.
    pub(crate) fresh_prompts: Option<usize>,
    /// How many requests met a connection that the engine had given up, and were sent again.
    pub(crate) resent: u64,
    /// How many requests of a trace were due in the window.
    pub(crate) due: Option<u64>,
    /// How many requests of the dataset were prepared, and how many it has, where it is a trace.
    pub(crate) replayed: Option<(usize, usize)>,
}

/// Makes the report of a load point that is over.
pub(crate) fn report(plan: &LoadPlan, point: &Point, about: &Circumstances) -> anyhow::Result<LoadReport> {
    let window = point.window().context("the load point was never measured")?;
    let answers: Vec<(&Sample, &Answer)> =
        point.samples.iter().filter_map(|sample| Some((sample, sample.outcome.as_ref().ok()?))).collect();
    let latencies = Latencies::of(&answers)?;
    let window_s = window.1.saturating_sub(window.0).as_secs_f64();
    let in_window = tokens_in(window, point.samples.iter().chain(&point.uncounted));
    let completed_in_window = completed_in(window, point.samples.iter().chain(&point.uncounted));
    ensure!(
        !completed_in_window.is_empty(),
        "no request ended within the window of {window_s:.0} s; measure for longer or ask for shorter answers"
    );
    let time_series = series::of(point, window, &about.looks);
    let input_tokens: u64 = completed_in_window.iter().map(|answer| answer.input_tokens).sum();
    let index = about.load_point_index;
    let offered_load = *plan.load_points.get(index as usize).context("the plan has no such load point")?;
    let accelerators = metrics::of_accelerators(&about.looks);
    let output_tokens_per_s = in_window / window_s;
    let mut report = LoadReport {
        schema_version: SCHEMA_VERSION,
        run_id: plan.run_id,
        load_point_index: index,
        offered_load,
        started_at: about.base + TimeDelta::from_std(window.0)?,
        finished_at: about.base + TimeDelta::from_std(window.1)?,
        window_s,
        warmup_requests: point.tally.warmup_requests,
        warmup_s: point.tally.warmup.as_secs_f64(),
        requests_completed: answers.len() as u64,
        requests_failed: failures(&point.samples),
        ttft_ms: latencies.ttft_ms,
        itl_ms: latencies.itl_ms,
        itl_basis: itl_basis(&answers),
        tpot_ms: latencies.tpot_ms,
        e2e_ms: latencies.e2e_ms,
        request_output_tokens_per_s: latencies.request_output_tokens_per_s,
        output_tokens_per_s,
        input_tokens_per_s: input_tokens as f64 / window_s,
        requests_per_s: completed_in_window.len() as f64 / window_s,
        input_tokens: latencies.input_tokens,
        output_tokens: latencies.output_tokens,
        concurrency_mean: point.concurrency_mean(),
        estimates: latencies.estimates.into_iter().collect(),
        distributions: Some(latencies.distributions),
        time_series: Some(time_series),
        goodput: plan.slo.as_ref().map(|slo| goodput::of(slo, &point.samples, window_s)),
        server: metrics::of_engine(&about.looks),
        accelerator_energy_per_output_token_j: energy_per_token(&accelerators, output_tokens_per_s),
        accelerator_utilization_percent: accelerators.utilization_percent,
        accelerator_tensor_active_percent: accelerators.tensor_active_percent,
        accelerator_memory_peak_gib: accelerators.memory_peak_gib,
        accelerator_power_w: accelerators.power_w,
        workload_sha256: plan.workload.fingerprint(&plan.dataset_sha256),
        loadgen_version: crate::version(),
        checks: Vec::new(),
    };
    let rates = rates::estimates(point, window, &report);
    report.estimates.extend(rates);
    report.checks = checks::all(plan, point, &report, about, &answers);
    Ok(report)
}

fn itl_basis(answers: &[(&Sample, &Answer)]) -> ItlBasis {
    let exact = answers.iter().all(|(_, answer)| answer.exact);
    if exact { ItlBasis::Exact } else { ItlBasis::Apportioned }
}

/// By the counter of energy where there is one, else by the mean power.
fn energy_per_token(accelerators: &AcceleratorMetrics, output_tokens_per_s: f64) -> Observed<f64> {
    match accelerators.energy {
        Some((joules, seconds)) => {
            Observed::Value(joules / seconds / output_tokens_per_s.max(f64::MIN_POSITIVE))
        }
        None => accelerators.power_w.clone().map(|watts| watts / output_tokens_per_s.max(f64::MIN_POSITIVE)),
    }
}

/// Output tokens that arrived in the window, of whatever request.
pub(crate) fn tokens_in<'a>(
    (from, to): (Duration, Duration),
    samples: impl Iterator<Item = &'a Sample>,
) -> f64 {
    samples
        .filter_map(|sample| sample.outcome.as_ref().ok())
        .flat_map(|answer| &answer.arrivals)
        .filter(|arrival| (from..to).contains(&arrival.at()))
        .map(|arrival| f64::from(arrival.tokens))
        .sum()
}

fn completed_in<'a>(
    (from, to): (Duration, Duration),
    samples: impl Iterator<Item = &'a Sample>,
) -> Vec<&'a Answer> {
    samples
        .filter_map(|sample| sample.outcome.as_ref().ok())
        .filter(|answer| answer.ended_at >= from && answer.ended_at < to)
        .collect()
}

fn failures(samples: &[Sample]) -> BTreeMap<ErrorClass, u64> {
    let mut by_class = BTreeMap::new();
    for failure in samples.iter().filter_map(|sample| sample.outcome.as_ref().err()) {
        *by_class.entry(failure.class).or_insert(0) += 1;
    }
    by_class
}

#[cfg(test)]
mod tests;
