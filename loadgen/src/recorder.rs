//! Makes the report of a load point from its samples. A failed request is in no latency and always in the error share.

use std::collections::BTreeMap;
use std::iter::repeat_n;
use std::time::Duration;

use accelbench_core::load::{ErrorClass, ItlBasis, LoadPlan, LoadReport, SCHEMA_VERSION};
use accelbench_core::observed::Observed;
use accelbench_core::stats::Summary;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};

use crate::checks;
use crate::point::Point;
use crate::sample::{Answer, Sample};

/// What is known of a load point besides its samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    pub(crate) load_point_index: u32,
    /// The wall clock at the moment from which the samples count.
    pub(crate) base: DateTime<Utc>,
    pub(crate) loop_lag_p99: Duration,
    /// Whether prompts were cut by the engine's own count.
    pub(crate) exact_input: bool,
    /// How many requests had a prompt that was never sent before, where that number is limited.
    pub(crate) fresh_prompts: Option<usize>,
    /// How many requests met a connection that the engine had given up, and were sent again.
    pub(crate) resent: u64,
}

/// Makes the report of a load point that is over.
pub(crate) fn report(plan: &LoadPlan, point: &Point, about: Circumstances) -> anyhow::Result<LoadReport> {
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
    let input_tokens: u64 = completed_in_window.iter().map(|answer| answer.input_tokens).sum();
    let index = about.load_point_index;
    let offered_load = *plan.load_points.get(index as usize).context("the plan has no such load point")?;
    let no_source = "the load generator reads no accelerator metrics of this engine";
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
        itl_basis: if answers.iter().all(|(_, answer)| answer.exact) {
            ItlBasis::Exact
        } else {
            ItlBasis::Apportioned
        },
        tpot_ms: latencies.tpot_ms,
        e2e_ms: latencies.e2e_ms,
        request_output_tokens_per_s: latencies.request_output_tokens_per_s,
        output_tokens_per_s: in_window / window_s,
        input_tokens_per_s: input_tokens as f64 / window_s,
        requests_per_s: completed_in_window.len() as f64 / window_s,
        input_tokens: summary("input tokens", answers.iter().map(|(_, answer)| answer.input_tokens as f64))?,
        output_tokens: summary(
            "output tokens",
            answers.iter().map(|(_, answer)| answer.output_tokens as f64),
        )?,
        concurrency_mean: point.concurrency_mean(),
        accelerator_utilization_percent: Observed::absent(no_source),
        accelerator_memory_peak_gib: Observed::absent(no_source),
        workload_sha256: plan.workload.fingerprint(&plan.dataset_sha256),
        loadgen_version: crate::version(),
        checks: Vec::new(),
    };
    report.checks = checks::all(plan, point, &report, &about, &answers);
    Ok(report)
}

struct Latencies {
    ttft_ms: Summary,
    itl_ms: Summary,
    tpot_ms: Summary,
    e2e_ms: Summary,
    request_output_tokens_per_s: Summary,
}

impl Latencies {
    fn of(answers: &[(&Sample, &Answer)]) -> anyhow::Result<Self> {
        let e2e = |(sample, answer): &(&Sample, &Answer)| {
            milliseconds(answer.ended_at.saturating_sub(sample.sent_at))
        };
        let ttft = |(sample, answer): &(&Sample, &Answer)| {
            milliseconds(answer.first_token_at().saturating_sub(sample.sent_at))
        };
        let tpot = |answer: &(&Sample, &Answer)| {
            let gaps = answer.1.output_tokens.checked_sub(1).filter(|&gaps| gaps > 0)?;
            Some((e2e(answer) - ttft(answer)) / gaps as f64)
        };
        let rate =
            |answer: &(&Sample, &Answer)| answer.1.output_tokens as f64 * 1000.0 / e2e(answer).max(1e-3);
        Ok(Self {
            ttft_ms: summary("times to first token", answers.iter().map(ttft))?,
            itl_ms: summary(
                "gaps between tokens",
                answers.iter().flat_map(|(_, answer)| token_gaps_ms(answer)),
            )?,
            tpot_ms: summary("times per output token", answers.iter().filter_map(tpot))?,
            e2e_ms: summary("end-to-end latencies", answers.iter().map(e2e))?,
            request_output_tokens_per_s: summary("rates", answers.iter().map(rate))?,
        })
    }
}

/// Every gap between successive tokens. `k` tokens that arrive together `g` after the ones before were `g / k` apart;
/// tokens that arrive together with the first one have no gap that could be seen.
fn token_gaps_ms(answer: &Answer) -> impl Iterator<Item = f64> {
    answer.arrivals.windows(2).flat_map(|pair| {
        let gap_ms = milliseconds(pair[1].at().saturating_sub(pair[0].at()));
        repeat_n(gap_ms / f64::from(pair[1].tokens), pair[1].tokens as usize)
    })
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

fn summary(what: &str, samples: impl Iterator<Item = f64>) -> anyhow::Result<Summary> {
    let mut samples: Vec<f64> = samples.collect();
    Summary::of(&mut samples)
        .with_context(|| format!("the completed requests gave no {what}: there is nothing to report"))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests;
