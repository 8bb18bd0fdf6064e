//! The whole contract with the load generator: the plan that it fetches, the progress that it tells, and the report
//! that it delivers for each load point. The API, the worker and the load generator share these types.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::dataset::Sha256Hex;
use crate::observed::Observed;
use crate::run::RunId;
use crate::stats::Summary;
use crate::validity::Check;
use crate::workload::Workload;

mod check;
pub mod examples;
pub use check::InvalidReport;

/// Version of the plan's and the report's JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// How much load is offered at one load point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferedLoad {
    /// Closed loop: exactly this many requests are in flight all the time.
    Concurrency(NonZeroU32),
    /// Open loop: requests arrive whatever became of the earlier ones.
    RequestRate(RequestRate),
}

/// Requests that arrive on their own account.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRate {
    /// Requests per second on average.
    pub per_s: f64,
    /// How the gaps between them are distributed.
    #[serde(default)]
    pub arrivals: Arrivals,
}

/// How the gaps between arrivals are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// All gaps are equal.
    Constant,
    /// Exponential gaps: many independent people.
    #[default]
    Poisson,
    /// Gamma distributed gaps.
    Gamma {
        /// The distribution's shape, as in vLLM: 1 is Poisson, less is burstier, more is steadier.
        burstiness: f64,
    },
}

impl OfferedLoad {
    /// The number of simultaneous requests of a closed loop.
    #[must_use]
    pub fn concurrency(self) -> Option<u32> {
        match self {
            Self::Concurrency(requests) => Some(requests.get()),
            Self::RequestRate(_) => None,
        }
    }

    /// The requests per second of an open loop, and how they arrive.
    #[must_use]
    pub fn request_rate(self) -> Option<RequestRate> {
        match self {
            Self::Concurrency(_) => None,
            Self::RequestRate(rate) => Some(rate),
        }
    }
}

impl Arrivals {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
            Self::Gamma { .. } => "gamma",
        }
    }

    /// The burstiness of gamma distributed gaps.
    #[must_use]
    pub fn burstiness(self) -> Option<f64> {
        match self {
            Self::Gamma { burstiness } => Some(burstiness),
            Self::Constant | Self::Poisson => None,
        }
    }
}

impl fmt::Display for OfferedLoad {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency(requests) => write!(formatter, "concurrency {requests}"),
            Self::RequestRate(rate) => rate.fmt(formatter),
        }
    }
}

impl fmt::Display for RequestRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} requests/s {}", self.per_s, self.arrivals.as_str())?;
        self.arrivals.burstiness().map_or(Ok(()), |burstiness| write!(formatter, " {burstiness}"))
    }
}

/// How long each load point is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Measurement {
    /// The measured window lasts at least this long, in seconds.
    pub min_duration_s: f64,
    /// The measured window holds at least this many requests.
    pub min_requests: u32,
    /// The measured window ends after this long even with fewer requests, in seconds; a check then says so.
    pub max_duration_s: f64,
}

impl Default for Measurement {
    /// 60 s and 200 requests, at most 10 min.
    fn default() -> Self {
        Self { min_duration_s: 60.0, min_requests: 200, max_duration_s: 600.0 }
    }
}

/// What the load generator is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run that it works for.
    pub run_id: RunId,
    /// Root of the engine's HTTP interface, without `/v1`.
    pub base_url: Url,
    /// The name under which the engine serves the model.
    pub served_model_name: String,
    /// What each request asks for.
    pub workload: Workload,
    /// SHA-256 of the dataset's bytes, which the load generator checks.
    pub dataset_sha256: Sha256Hex,
    /// Longest context of the model, in tokens, where known: lengths from a table are cut to fit.
    pub max_context_tokens: Option<u32>,
    /// The load points, in the order in which they are measured.
    pub load_points: Vec<OfferedLoad>,
    /// How long each load point is measured.
    pub measurement: Measurement,
    /// Indices of load points whose report was already acknowledged: a restarted load generator skips them.
    pub reported: Vec<u32>,
}

/// Where the load generator is inside a load point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadStage {
    /// Prompts are being cut to length.
    Preparing,
    /// Requests are sent whose numbers are discarded.
    WarmingUp,
    /// The measured window is open.
    Measuring,
    /// The window is closed; its last requests are being waited for under unchanged load.
    Draining,
}

/// What the load generator tells about once a second, for a person to watch; nothing depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadProgress {
    /// Index of the load point, counted from 0.
    pub load_point_index: u32,
    /// Number of load points of the plan.
    pub load_point_count: u32,
    /// The offered load.
    pub offered_load: OfferedLoad,
    /// Where the load generator is inside the load point.
    pub stage: LoadStage,
    /// Estimated share of this load point that is done, 0 to 1.
    pub fraction: f64,
    /// Requests that ended well so far in the measured window.
    pub requests_completed: u64,
    /// Requests that failed so far in the measured window.
    pub requests_failed: u64,
    /// Output tokens per second over the last second or so.
    pub output_tokens_per_s: f64,
    /// Median time to first token of the measured window so far, in milliseconds.
    pub ttft_p50_ms: Option<f64>,
}

/// A class of failed requests. A failed request is in no latency and always in the error share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItlBasis {
    /// Each chunk's number of tokens is known: from running usage, or one token a chunk as the totals prove.
    Exact,
    /// Some chunks held several tokens and only the total is known: the tokens are spread over the chunks.
    Apportioned,
}

/// What was measured at one load point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// [`SCHEMA_VERSION`].
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
    /// Mean utilisation of the accelerators during the window, in percent.
    pub accelerator_utilization_percent: Observed<f64>,
    /// Peak memory in use on the accelerators during the window, in GiB over all of them.
    pub accelerator_memory_peak_gib: Observed<f64>,
    /// Hash of the workload and its dataset: results with equal hashes were asked the same questions.
    pub workload_sha256: Sha256Hex,
    /// Version and build of the load generator.
    pub loadgen_version: String,
    /// Whether the numbers can be trusted.
    pub checks: Vec<Check>,
}

impl LoadReport {
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
