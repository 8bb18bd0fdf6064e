//! `accelbench fit`: whether a model fits an instance type, with the numbers.

use clap::Args;
use serde_json::Value;

use crate::arguments::Format;
use crate::client::Client;
use crate::output;

/// What is to be held by what.
#[derive(Debug, Args)]
pub(crate) struct FitOptions {
    /// Hugging Face id of the model
    #[arg(long)]
    model: String,
    /// Instance type, for instance g6e.xlarge
    #[arg(long)]
    instance: String,
    /// Precision of the weights: bf16, fp16, fp8, int8 or int4 [default: as the model comes]
    #[arg(long)]
    quantization: Option<String>,
    /// Tokens of the longest prompt with its answer [default: 8192]
    #[arg(long, value_name = "TOKENS")]
    context: Option<u32>,
    /// Requests at once [default: 16]
    #[arg(long, value_name = "COUNT")]
    concurrency: Option<u32>,
    /// Over how many accelerators one replica is split [default: as few as hold it]
    #[arg(long, visible_alias = "tp", value_name = "COUNT")]
    tensor_parallel: Option<u32>,
}

pub(crate) async fn fit(client: &Client, format: Format, options: FitOptions) -> anyhow::Result<()> {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let parameters = [
        ("model", Some(options.model)),
        ("instance_type", Some(options.instance)),
        ("quantization", options.quantization),
        ("context", number(options.context)),
        ("concurrency", number(options.concurrency)),
        ("tensor_parallel", number(options.tensor_parallel)),
    ];
    let parameters: Vec<_> =
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let answer = client.fit(&parameters).await?;
    if format == Format::Json {
        return output::json(&answer);
    }
    output::data(answer["sentence"].as_str().unwrap_or_default());
    if let Some(precision) = answer["deployment"]["precision"].as_str() {
        output::data(&format!("  weights: {precision}"));
    }
    for instance in answer["elsewhere"].as_array().into_iter().flatten() {
        output::data(&format!("  {}", elsewhere(instance)));
    }
    Ok(())
}

fn elsewhere(instance: &Value) -> String {
    format!(
        "it fits {} at tensor parallel {}, for {:.2} USD an hour",
        instance["instance_type"].as_str().unwrap_or_default(),
        instance["tensor_parallel"],
        instance["usd_per_hour"].as_f64().unwrap_or_default(),
    )
}
