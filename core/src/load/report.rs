//! What the load generator delivers for each load point.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distributions, OfferedLoad, TimeSeries};
use crate::dataset::Sha256Hex;
use crate::metric::{Latency, Metric, Statistic};
use crate::observed::Observed;
use crate::run::RunId;
use crate::slo::Goodput;
use crate::stats::{Estimate, Summary};
use crate::validity::Check;

/// A class of failed requests. A failed request is in no latency and always in the error share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The connection could not be made or broke before an answer.
    Connection,
    /// The request took longer than the limit.
    Timeout,
    /// The engine refused the request (HTTP 4xx).
    Refused,
    /// The engine failed (HTTP 5xx).
    ServerError,
    /// The engine sent an error event inside an answer that began with 200.
    ErrorEvent,
    /// The stream ended before `[DONE]` or without a finish reason.
    Incomplete,
    /// The stream could not be understood.
    Malformed,
    /// The answer ended in order but held no token.
    NoTokens,
}

/// How the token gaps were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItlBasis {
    /// Each chunk's number of tokens is known: from running usage, or one token a chunk as the totals prove.
    Exact,
    /// Some chunks held several tokens and only the total is known: the tokens are spread over the chunks.
    Apportioned,
}

/// What was measured at one load point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// Version of this form: 2.
    pub schema_version: u32,
    /// The run that it belongs to.
    pub run_id: RunId,
    /// Index of the load point in the plan, counted from 0.
    pub load_point_index: u32,
    /// The load that was offered.
    pub offered_load: OfferedLoad,
    /// When the measured window opened.
    pub started_at: DateTime<Utc>,
    /// When the measured window closed.
    pub finished_at: DateTime<Utc>,
    /// Length of the measured window on the monotonic clock, in seconds.
    pub window_s: f64,
    /// Requests that were sent and discarded before the window.
    pub warmup_requests: u64,
    /// How long the warm-up took, in seconds.
    pub warmup_s: f64,
    /// Requests that began in the window and ended well.
    pub requests_completed: u64,
    /// Requests that began in the window and failed, by class.
    pub requests_failed: BTreeMap<ErrorClass, u64>,
    /// Time to first token, in milliseconds: from just before the request is written to the read that brings the
    /// first token.
    pub ttft_ms: Summary,
    /// Inter-token latency, in milliseconds: every gap between successive tokens of a request.
    pub itl_ms: Summary,
    /// How the token gaps were found.
    pub itl_basis: ItlBasis,
    /// Time per output token, in milliseconds: (E2E - TTFT) / (output tokens - 1), one value a request.
    pub tpot_ms: Summary,
    /// End-to-end latency, in milliseconds: from just before the request is written to the read that ends the answer.
    pub e2e_ms: Summary,
    /// Output tokens per second of single requests: output tokens / E2E.
    pub request_output_tokens_per_s: Summary,
    /// Output tokens that arrived in the window, per second.
    pub output_tokens_per_s: f64,
    /// Input tokens of the requests completed in the window, per second.
    pub input_tokens_per_s: f64,
    /// Requests completed in the window, per second.
    pub requests_per_s: f64,
    /// Input tokens of the completed requests, by the server's count.
    pub input_tokens: Summary,
    /// Output tokens of the completed requests, by the server's count.
    pub output_tokens: Summary,
    /// Time-weighted mean number of requests in flight during the window.
    pub concurrency_mean: f64,
    /// How sure the numbers above are. A metric that the window is too short for is missing.
    #[serde(default)]
    pub estimates: BTreeMap<Metric, Estimate>,
    /// How the latencies are distributed.
    #[serde(default)]
    pub distributions: Option<Distributions>,
    /// How the window went.
    #[serde(default)]
    pub time_series: Option<TimeSeries>,
    /// The part of the throughput that keeps the plan's SLO, where it has one.
    #[serde(default)]
    pub goodput: Option<Goodput>,
    /// What the engine said of itself during the window.
    #[serde(default)]
    pub server: ServerMetrics,
    /// Mean utilisation of the accelerators during the window, in percent.
    pub accelerator_utilization_percent: Observed<f64>,
    /// Mean share of the window in which their tensor units worked, in percent.
    #[serde(default = "not_sampled")]
    pub accelerator_tensor_active_percent: Observed<f64>,
    /// Peak memory in use on the accelerators during the window, in GiB over all of them.
    pub accelerator_memory_peak_gib: Observed<f64>,
    /// Mean power of the accelerators during the window, in watts over all of them.
    #[serde(default = "not_sampled")]
    pub accelerator_power_w: Observed<f64>,
    /// Energy that the accelerators took for each output token of the window, in joules.
    #[serde(default = "not_sampled")]
    pub accelerator_energy_per_output_token_j: Observed<f64>,
    /// Hash of the workload and its dataset: results with equal hashes were asked the same questions.
    pub workload_sha256: Sha256Hex,
    /// Version and build of the load generator.
    pub loadgen_version: String,
    /// Whether the numbers can be trusted.
    pub checks: Vec<Check>,
}

/// What an engine's `/metrics` said during the measured window, over all its replicas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerMetrics {
    /// Requests that were being worked on, on average.
    pub requests_running_mean: Observed<f64>,
    /// Requests that waited for their turn, on average.
    pub requests_waiting_mean: Observed<f64>,
    /// Most requests that waited at once.
    pub requests_waiting_max: Observed<f64>,
    /// Share of the key-value cache in use on average, in percent.
    pub kv_cache_usage_mean_percent: Observed<f64>,
    /// Largest share of the key-value cache in use, in percent.
    pub kv_cache_usage_max_percent: Observed<f64>,
    /// Requests that were interrupted for want of memory.
    pub preemptions: Observed<f64>,
    /// Share of the prompts' tokens that came from the prefix cache, 0 to 1.
    pub prefix_cache_hit_share: Observed<f64>,
    /// Prompt tokens that the engine counted between the first and the last look, per second.
    pub input_tokens_per_s: Observed<f64>,
    /// Output tokens that the engine counted between the first and the last look, per second.
    pub output_tokens_per_s: Observed<f64>,
}

impl ServerMetrics {
    /// No metrics, for one reason.
    #[must_use]
    pub fn absent(reason: &str) -> Self {
        let absent = || Observed::absent(reason);
        Self {
            requests_running_mean: absent(),
            requests_waiting_mean: absent(),
            requests_waiting_max: absent(),
            kv_cache_usage_mean_percent: absent(),
            kv_cache_usage_max_percent: absent(),
            preemptions: absent(),
            prefix_cache_hit_share: absent(),
            input_tokens_per_s: absent(),
            output_tokens_per_s: absent(),
        }
    }

    /// Every metric with its name.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &Observed<f64>); 9] {
        [
            ("requests_running_mean", &self.requests_running_mean),
            ("requests_waiting_mean", &self.requests_waiting_mean),
            ("requests_waiting_max", &self.requests_waiting_max),
            ("kv_cache_usage_mean_percent", &self.kv_cache_usage_mean_percent),
            ("kv_cache_usage_max_percent", &self.kv_cache_usage_max_percent),
            ("preemptions", &self.preemptions),
            ("prefix_cache_hit_share", &self.prefix_cache_hit_share),
            ("input_tokens_per_s", &self.input_tokens_per_s),
            ("output_tokens_per_s", &self.output_tokens_per_s),
        ]
    }
}

const NOT_SAMPLED: &str = "the load generator of that version did not sample it";

impl Default for ServerMetrics {
    /// What a report of version 1 says.
    fn default() -> Self {
        Self::absent(NOT_SAMPLED)
    }
}

fn not_sampled() -> Observed<f64> {
    Observed::absent(NOT_SAMPLED)
}

impl LoadReport {
    /// The number that a metric stands for.
    #[must_use]
    pub fn value(&self, metric: Metric) -> f64 {
        match metric {
            Metric::OutputTokensPerS => self.output_tokens_per_s,
            Metric::InputTokensPerS => self.input_tokens_per_s,
            Metric::RequestsPerS => self.requests_per_s,
            Metric::Latency(latency, statistic) => statistic.of(self.latencies(latency)),
        }
    }

    /// The summary of a latency, in milliseconds.
    #[must_use]
    pub fn latencies(&self, latency: Latency) -> &Summary {
        match latency {
            Latency::Ttft => &self.ttft_ms,
            Latency::Itl => &self.itl_ms,
            Latency::Tpot => &self.tpot_ms,
            Latency::E2e => &self.e2e_ms,
        }
    }

    /// Whether enough requests were completed for this statistic: at least ten of them must lie beyond a percentile.
    #[must_use]
    pub fn supports(&self, statistic: Statistic) -> bool {
        self.requests_completed >= statistic.least_requests()
    }

    /// All failed requests.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.requests_failed.values().sum()
    }

    /// Share of failed requests among all that began in the window, 0 to 1.
    #[must_use]
    pub fn error_share(&self) -> f64 {
        let all = self.requests_completed + self.failed();
        if all == 0 { 0.0 } else { self.failed() as f64 / all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::LoadReport;
    use crate::load::examples::{plan, report};
    use crate::metric::{Metric, Statistic};

    #[test]
    fn stored_reports_of_version_1_are_still_read() {
        let mut json = serde_json::to_value(report(&plan(), 0)).unwrap();
        let fields = json.as_object_mut().unwrap();
        fields.insert("schema_version".to_owned(), 1.into());
        for new in ["estimates", "distributions", "time_series", "server", "accelerator_power_w"] {
            fields.remove(new).unwrap();
        }
        let read: LoadReport = serde_json::from_value(json).unwrap();
        assert!(read.distributions.is_none() && read.estimates.is_empty());
        assert!(read.server.preemptions.absent_reason().unwrap().contains("version"));
    }

    #[test]
    fn a_percentile_wants_ten_requests_beyond_it() {
        let report = report(&plan(), 0);
        assert_eq!(report.requests_completed, 240);
        let supported = Statistic::ALL.map(|statistic| report.supports(statistic));
        assert_eq!(supported, [true, true, true, true, false]);
        assert!((report.value(Metric::OutputTokensPerS) - 824.0).abs() < 1e-9);
    }
}
