//! Latencies of the completed requests: summaries, distributions, and how sure they are.

use std::iter::repeat_n;
use std::time::Duration;

use accelbench_core::load::{Distribution, Distributions};
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::stats::{Estimate, Summary};
use anyhow::Context as _;

use crate::sample::{Answer, Sample};

/// The latencies of a load point.
pub(super) struct Latencies {
    pub(super) ttft_ms: Summary,
    pub(super) itl_ms: Summary,
    pub(super) tpot_ms: Summary,
    pub(super) e2e_ms: Summary,
    pub(super) request_output_tokens_per_s: Summary,
    pub(super) input_tokens: Summary,
    pub(super) output_tokens: Summary,
    pub(super) distributions: Distributions,
    pub(super) estimates: Vec<(Metric, Estimate)>,
}

impl Latencies {
    pub(super) fn of(answers: &[(&Sample, &Answer)]) -> anyhow::Result<Self> {
        let mut answers = answers.to_vec();
        answers.sort_by_key(|(sample, _)| sample.sent_at);
        let mut estimates = Vec::new();
        let mut taken = |latency, what, of: &dyn Fn(&Sample, &Answer) -> Vec<f64>| {
            summarise(&answers, of, latency, &mut estimates).with_context(|| nothing(what))
        };
        let ttft =
            taken(Latency::Ttft, "times to first token", &|sample, answer| vec![ttft_ms(sample, answer)])?;
        let itl = taken(Latency::Itl, "gaps between tokens", &|_, answer| token_gaps_ms(answer).collect())?;
        let tpot = taken(Latency::Tpot, "times per output token", &|sample, answer| {
            tpot_ms(sample, answer).into_iter().collect()
        })?;
        let e2e =
            taken(Latency::E2e, "end-to-end latencies", &|sample, answer| vec![e2e_ms(sample, answer)])?;
        let summary = |what, of: &dyn Fn(&Sample, &Answer) -> f64| {
            let mut samples: Vec<f64> = answers.iter().map(|(sample, answer)| of(sample, answer)).collect();
            Summary::of(&mut samples).with_context(|| nothing(what))
        };
        Ok(Self {
            request_output_tokens_per_s: summary("rates", &|sample, answer| {
                answer.output_tokens as f64 * 1000.0 / e2e_ms(sample, answer).max(1e-3)
            })?,
            input_tokens: summary("input tokens", &|_, answer| answer.input_tokens as f64)?,
            output_tokens: summary("output tokens", &|_, answer| answer.output_tokens as f64)?,
            ttft_ms: ttft.0,
            itl_ms: itl.0,
            tpot_ms: tpot.0,
            e2e_ms: e2e.0,
            distributions: Distributions { ttft: ttft.1, itl: itl.1, tpot: tpot.1, e2e: e2e.1 },
            estimates,
        })
    }
}

/// Summarises one latency over answers in the order in which they were asked for; `of` gives the samples of one, which
/// are many for token gaps. They are computed anew for each statistic: a load point may hold millions.
fn summarise(
    answers: &[(&Sample, &Answer)],
    of: &dyn Fn(&Sample, &Answer) -> Vec<f64>,
    latency: Latency,
    estimates: &mut Vec<(Metric, Estimate)>,
) -> Option<(Summary, Distribution)> {
    let samples = |(sample, answer): &(&Sample, &Answer)| of(sample, answer);
    let mut sorted = Vec::with_capacity(answers.iter().map(|answer| samples(answer).len()).sum());
    sorted.extend(answers.iter().flat_map(samples));
    let summary = Summary::of(&mut sorted)?;
    for statistic in Statistic::ALL {
        let estimate = match statistic.percent() {
            None => Estimate::of_grouped_mean(answers, samples),
            Some(percent) => Estimate::of_grouped_percentile(answers, samples, &sorted, percent),
        };
        estimates.extend(estimate.map(|estimate| (Metric::Latency(latency, statistic), estimate)));
    }
    Some((summary, Distribution::of_ms(&sorted)))
}

fn nothing(what: &str) -> String {
    format!("the completed requests gave no {what}: there is nothing to report")
}

pub(super) fn ttft_ms(sample: &Sample, answer: &Answer) -> f64 {
    milliseconds(answer.first_token_at().saturating_sub(sample.sent_at))
}

pub(super) fn e2e_ms(sample: &Sample, answer: &Answer) -> f64 {
    milliseconds(answer.ended_at.saturating_sub(sample.sent_at))
}

/// A request with one token has none.
pub(super) fn tpot_ms(sample: &Sample, answer: &Answer) -> Option<f64> {
    let gaps = answer.output_tokens.checked_sub(1).filter(|&gaps| gaps > 0)?;
    Some((e2e_ms(sample, answer) - ttft_ms(sample, answer)) / gaps as f64)
}

/// Every gap between successive tokens. `k` tokens that arrive together `g` after the ones before were `g / k` apart;
/// tokens that arrive together with the first one have no gap that could be seen.
pub(super) fn token_gaps_ms(answer: &Answer) -> impl Iterator<Item = f64> {
    answer.arrivals.windows(2).flat_map(|pair| {
        let gap_ms = milliseconds(pair[1].at().saturating_sub(pair[0].at()));
        repeat_n(gap_ms / f64::from(pair[1].tokens), pair[1].tokens as usize)
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
