//! How sure the rates of a window are: each batch is some of the parts of its time series.

use accelbench_core::load::TimeSeries;
use accelbench_core::metric::Metric;
use accelbench_core::stats::{BATCHES, Batch, Estimate};

/// Estimates of the rates, in the order of their names.
pub(super) fn estimates(series: &TimeSeries) -> impl Iterator<Item = (Metric, Estimate)> {
    let of = |metric, counts: Vec<u64>| Some((metric, estimate(&counts, series.interval_s)?));
    let requests = series.requests_completed.iter().map(|&count| u64::from(count)).collect();
    [
        of(Metric::OutputTokensPerS, series.output_tokens.clone()),
        of(Metric::InputTokensPerS, series.input_tokens.clone()),
        of(Metric::RequestsPerS, requests),
    ]
    .into_iter()
    .flatten()
}

fn estimate(counts: &[u64], interval_s: f64) -> Option<Estimate> {
    let parts = counts.len() / BATCHES;
    let batches: Vec<Batch> = counts
        .chunks_exact(parts.max(1))
        .map(|counts| Batch {
            sum: counts.iter().sum::<u64>() as f64,
            weight: counts.len() as f64 * interval_s,
        })
        .collect();
    Estimate::of_ratio(&batches)
}
