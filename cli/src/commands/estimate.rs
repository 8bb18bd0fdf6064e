//! `accelbench estimate`: how fast, how long and how dear a run on a cluster would be, before anything is paid.

use clap::Args;
use serde_json::Value;

use crate::arguments::Format;
use crate::client::Client;
use crate::output;

/// What would be run.
#[derive(Debug, Args)]
pub(crate) struct EstimateOptions {
    /// Hugging Face id of the model
    #[arg(long)]
    model: String,
    /// Instance type, for instance g6e.xlarge
    #[arg(long)]
    instance: String,
    /// Precision of the weights: bf16, fp16, fp8, int8 or int4 [default: as the model comes]
    #[arg(long)]
    quantization: Option<String>,
    /// Over how many accelerators one replica is split [default: as few as hold it]
    #[arg(long, visible_alias = "tp", value_name = "COUNT")]
    tensor_parallel: Option<u32>,
    /// Tokens of each prompt [default: measured conversations]
    #[arg(long, value_name = "TOKENS", requires = "output_len")]
    input_len: Option<u32>,
    /// Tokens of each answer
    #[arg(long, value_name = "TOKENS", requires = "input_len")]
    output_len: Option<u32>,
    /// Numbers of simultaneous requests, one load point each
    #[arg(long, value_name = "COUNT,...", default_value = "1,4,16")]
    concurrency: String,
    /// AWS region of the prices [default: that of the server's cluster]
    #[arg(long)]
    region: Option<String>,
}

pub(crate) async fn estimate(
    client: &Client,
    format: Format,
    options: EstimateOptions,
) -> anyhow::Result<()> {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let parameters = [
        ("model", Some(options.model)),
        ("instance_type", Some(options.instance)),
        ("quantization", options.quantization),
        ("tensor_parallel", number(options.tensor_parallel)),
        ("input_tokens", number(options.input_len)),
        ("output_tokens", number(options.output_len)),
        ("concurrency", Some(options.concurrency)),
        ("region", options.region),
    ];
    let parameters: Vec<_> =
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    show(format, &client.estimate(&parameters).await?)
}

/// Prints an estimate, which says of itself that it is one.
pub(crate) fn show(format: Format, answer: &Value) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(answer);
    }
    if let Some(reason) = answer["revision_absent_reason"].as_str() {
        output::notice(&format!("note: the model's commit is not known: {reason}"));
    }
    output::data(answer["estimate"]["sentence"].as_str().unwrap_or_default());
    Ok(())
}
