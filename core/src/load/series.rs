//! How a measured window went: what happened in each of its equal parts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parts into which a window is cut: a multiple of the batches of the estimates.
pub const INTERVALS: usize = 60;

/// What happened in each part of the window. All lists have [`INTERVALS`] entries.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TimeSeries {
    /// Length of a part, in seconds.
    pub interval_s: f64,
    /// Requests that were sent.
    pub requests_sent: Vec<u32>,
    /// Requests that were answered.
    pub requests_completed: Vec<u32>,
    /// Requests that failed, by when they were sent.
    pub requests_failed: Vec<u32>,
    /// Input tokens of the answered requests.
    pub input_tokens: Vec<u64>,
    /// Output tokens that arrived.
    pub output_tokens: Vec<u64>,
    /// Answered requests that were in flight, on average.
    pub in_flight_mean: Vec<f64>,
    /// Mean time to first token of the requests sent, in milliseconds; null where none was.
    pub ttft_mean_ms: Vec<Option<f64>>,
    /// Requests that waited in the engine at the last look, where it says so.
    pub requests_waiting: Vec<Option<f64>>,
    /// Share of the key-value cache in use at the last look, in percent, where the engine says so.
    pub kv_cache_usage_percent: Vec<Option<f64>>,
    /// Utilisation of the accelerators at the last look, in percent, where it is known.
    pub accelerator_utilization_percent: Vec<Option<f64>>,
}

impl TimeSeries {
    /// A window of so long parts in which nothing happened.
    #[must_use]
    pub fn empty(interval_s: f64) -> Self {
        Self {
            interval_s,
            requests_sent: vec![0; INTERVALS],
            requests_completed: vec![0; INTERVALS],
            requests_failed: vec![0; INTERVALS],
            input_tokens: vec![0; INTERVALS],
            output_tokens: vec![0; INTERVALS],
            in_flight_mean: vec![0.0; INTERVALS],
            ttft_mean_ms: vec![None; INTERVALS],
            requests_waiting: vec![None; INTERVALS],
            kv_cache_usage_percent: vec![None; INTERVALS],
            accelerator_utilization_percent: vec![None; INTERVALS],
        }
    }

    /// Whether every list has its length and every number is finite and not negative.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        let number = |value: &f64| value.is_finite() && *value >= 0.0;
        let perhaps = |list: &Vec<Option<f64>>| list.len() == INTERVALS && list.iter().flatten().all(number);
        let lengths = [
            self.requests_sent.len(),
            self.requests_completed.len(),
            self.requests_failed.len(),
            self.input_tokens.len(),
            self.output_tokens.len(),
            self.in_flight_mean.len(),
        ];
        number(&self.interval_s)
            && lengths.iter().all(|&length| length == INTERVALS)
            && self.in_flight_mean.iter().all(number)
            && perhaps(&self.ttft_mean_ms)
            && perhaps(&self.requests_waiting)
            && perhaps(&self.kv_cache_usage_percent)
            && perhaps(&self.accelerator_utilization_percent)
    }
}
