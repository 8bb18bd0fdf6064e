//! The part of the throughput that keeps an SLO: requests that keep each limit by themselves.

use accelbench_core::metric::{Latency, Statistic};
use accelbench_core::slo::{Goodput, Limit, Slo};
use accelbench_core::stats::Summary;

use super::latencies::{e2e_ms, token_gaps_ms, tpot_ms, ttft_ms};
use crate::sample::{Answer, Sample};

/// Counts over the requests that began in the window.
pub(super) fn of(slo: &Slo, samples: &[Sample], window_s: f64) -> Goodput {
    let is_good = |sample: &&Sample| {
        sample
            .outcome
            .as_ref()
            .is_ok_and(|answer| slo.limits().iter().all(|limit| keeps(limit, sample, answer)))
    };
    let good = samples.iter().filter(is_good).count() as f64;
    Goodput { slo: slo.clone(), requests_per_s: good / window_s, share: good / samples.len().max(1) as f64 }
}

/// A limit of a time that a request has once is held against that time, whatever the statistic; one of its token gaps
/// against that statistic of its own gaps.
fn keeps(limit: &Limit, sample: &Sample, answer: &Answer) -> bool {
    let value = match limit.latency() {
        Latency::Ttft => Some(ttft_ms(sample, answer)),
        Latency::E2e => Some(e2e_ms(sample, answer)),
        Latency::Tpot => tpot_ms(sample, answer),
        Latency::Itl => of_gaps(limit.statistic(), answer),
    };
    value.is_none_or(|value| value <= limit.at_most_ms())
}

fn of_gaps(statistic: Statistic, answer: &Answer) -> Option<f64> {
    let mut gaps: Vec<f64> = token_gaps_ms(answer).collect();
    Summary::of(&mut gaps).map(|summary| statistic.of(&summary))
}
