//! The whole contract with the load generator: the plan that it fetches, the progress that it tells, and the report
//! that it delivers for each load point. The API, the worker and the load generator share these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::dataset::Sha256Hex;
use crate::exploration::Exploration;
use crate::run::RunId;
use crate::slo::Slo;
use crate::workload::Workload;

mod check;
mod distribution;
pub mod examples;
mod offered;
mod report;
mod schema;
mod series;

pub use check::InvalidReport;
pub use distribution::{Distribution, Distributions, InvalidDistribution};
pub use offered::{Arrivals, OfferedLoad, RequestRate, TraceReplay};
pub use report::{ErrorClass, ItlBasis, LoadReport, ServerMetrics};
pub use schema::report_schema;
pub use series::{INTERVALS, TimeSeries};

/// Version of the plan's and the report's JSON form. Reports of version 1 had no estimates, distributions, time series
/// and server metrics; they are still read where they are stored.
pub const SCHEMA_VERSION: u32 = 2;

/// How long each load point is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Measurement {
    /// The measured window lasts at least this long, in seconds.
    pub min_duration_s: f64,
    /// The measured window holds at least this many requests.
    pub min_requests: u32,
    /// The measured window ends after this long even with fewer requests, in seconds; a check then says so.
    pub max_duration_s: f64,
    /// Before the window, the load rises evenly to what is asked for over this time, in seconds; 0 is at once.
    pub ramp_up_s: f64,
}

impl Default for Measurement {
    /// 60 s and 200 requests, at most 10 min, at full load at once.
    fn default() -> Self {
        Self { min_duration_s: 60.0, min_requests: 200, max_duration_s: 600.0, ramp_up_s: 0.0 }
    }
}

/// What the load generator is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// How further load points are found when these are measured.
    #[serde(default)]
    pub exploration: Option<Exploration>,
    /// Reports that an exploration already delivered: a restarted load generator goes on from them.
    #[serde(default)]
    pub explored: Vec<LoadReport>,
    /// Limits that requests are held against for the goodput.
    #[serde(default)]
    pub slo: Option<Slo>,
    /// How long each load point is measured.
    pub measurement: Measurement,
    /// Pages of the exporters of accelerator metrics (DCGM, neuron-monitor) on the engine's instance.
    #[serde(default)]
    pub accelerator_metrics: Vec<Url>,
    /// Indices of load points whose report was already acknowledged: a restarted load generator skips them.
    pub reported: Vec<u32>,
}

/// The given loads, and one of those that an exploration finds.
#[must_use]
pub fn kinds_of_load(load_points: &[OfferedLoad], exploration: Option<Exploration>) -> Vec<OfferedLoad> {
    let explored = exploration.map(|exploration| exploration.first_load());
    load_points.iter().copied().chain(explored).collect()
}

impl LoadPlan {
    /// Every kind of load that it offers.
    #[must_use]
    pub fn kinds_of_load(&self) -> Vec<OfferedLoad> {
        kinds_of_load(&self.load_points, self.exploration)
    }

    /// Whether an exploration may reach a load point of this index.
    #[must_use]
    pub fn explores(&self, index: u32) -> bool {
        self.exploration.is_some_and(|exploration| index < exploration.max_load_points())
    }
}

/// Where the load generator is inside a load point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Median time per output token of the measured window so far, in milliseconds.
    #[serde(default)]
    pub tpot_p50_ms: Option<f64>,
}
