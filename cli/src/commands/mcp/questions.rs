//! What an agent may ask. The comments are what it reads.

use schemars::JsonSchema;
use serde::Deserialize;

/// Which results; what is left out admits all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryQuestion {
    /// Hugging Face id of the model, for instance meta-llama/Llama-3.1-8B
    pub(super) model: Option<String>,
    /// AWS instance type, for instance g6e.xlarge
    pub(super) instance_type: Option<String>,
    /// Accelerator, for instance L40S
    pub(super) accelerator_name: Option<String>,
    /// Number of simultaneous requests
    pub(super) concurrency: Option<u32>,
    /// Limits with commas between them, for instance ttft_p95_ms<=500,itl_p95_ms<=40
    pub(super) slo: Option<String>,
    /// Order: recorded_at, a number such as ttft_p95_ms, or a cost such as cost_per_million_output_tokens
    pub(super) sort: Option<String>,
    /// measured (default) or simulated
    pub(super) origin: Option<String>,
    /// AWS region of the prices; us-east-1 unless given
    pub(super) region: Option<String>,
    /// Pricing tier: on_demand (default), reserved_1_year, reserved_3_year, spot or capacity_block
    pub(super) tier: Option<String>,
    /// Most results, 1 to 100; 20 unless given
    pub(super) limit: Option<u32>,
}

/// Which results are put side by side.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompareQuestion {
    /// Ids of results (result_id of query), at most 20; ratios are to the first
    pub(super) results: Vec<String>,
}

/// What is to be borne.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecommendQuestion {
    /// Hugging Face id of the model
    pub(super) model: String,
    /// Limits with commas between them, for instance ttft_p95_ms<=500
    pub(super) slo: String,
    /// Requests per second to bear
    pub(super) requests_per_s: f64,
    /// AWS region of the prices; us-east-1 unless given
    pub(super) region: Option<String>,
    /// Pricing tier; on_demand unless given
    pub(super) tier: Option<String>,
    /// measured (default) or simulated
    pub(super) origin: Option<String>,
}

/// A price and a throughput.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CostQuestion {
    /// What an hour of the instance costs
    pub(super) price_per_hour: f64,
    /// Output tokens per second of all requests together
    #[serde(default)]
    pub(super) output_tokens_per_s: f64,
    /// Input tokens per second of all requests together
    #[serde(default)]
    pub(super) input_tokens_per_s: f64,
    /// Completed requests per second
    #[serde(default)]
    pub(super) requests_per_s: f64,
    /// Requests per second to bear: adds what a month costs
    pub(super) target_requests_per_s: Option<f64>,
}
