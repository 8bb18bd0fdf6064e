//! Medians of the window so far, for a person to watch. They cost a counter a request, however long the window.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::sample::{Answer, Sample};

/// The longest latency that is told apart, in microseconds: an hour.
const MOST_US: u64 = 3_600_000_000;

/// Latencies of the counted answers.
#[derive(Debug)]
pub(crate) struct SoFar {
    ttft_us: Histogram<u64>,
    tpot_us: Histogram<u64>,
}

impl SoFar {
    pub(super) fn note(&mut self, sample: &Sample, answer: &Answer) {
        let first = answer.first_token_at();
        self.ttft_us.saturating_record(microseconds(first.saturating_sub(sample.sent_at)));
        if let Some(gaps) = answer.output_tokens.checked_sub(1).filter(|&gaps| gaps > 0) {
            self.tpot_us.saturating_record(microseconds(answer.ended_at.saturating_sub(first)) / gaps);
        }
    }

    /// Median time to first token, in milliseconds.
    pub(crate) fn ttft_p50_ms(&self) -> Option<f64> {
        median_ms(&self.ttft_us)
    }

    /// Median time per output token, in milliseconds.
    pub(crate) fn tpot_p50_ms(&self) -> Option<f64> {
        median_ms(&self.tpot_us)
    }
}

impl Default for SoFar {
    fn default() -> Self {
        let empty = || Histogram::new_with_bounds(1, MOST_US, 2).expect("the bounds are in order");
        Self { ttft_us: empty(), tpot_us: empty() }
    }
}

fn microseconds(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

fn median_ms(histogram: &Histogram<u64>) -> Option<f64> {
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(0.5) as f64 / 1000.0)
}
