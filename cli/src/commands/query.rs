//! `accelbench query`: looks results up.

use anyhow::bail;
use clap::Args;

use crate::arguments::Format;
use crate::client::Client;
use crate::{output, tables};

/// Which results to show; what is left out admits all.
#[derive(Debug, Args)]
pub(crate) struct QueryOptions {
    /// Hugging Face id of the model
    #[arg(long)]
    model: Option<String>,
    /// Instance type
    #[arg(long)]
    instance: Option<String>,
    /// Family of instance types, for instance g6e
    #[arg(long)]
    instance_family: Option<String>,
    /// Accelerator, for instance L40S
    #[arg(long)]
    accelerator: Option<String>,
    /// Engine: vllm, llama_cpp, simulator or other
    #[arg(long)]
    engine: Option<String>,
    /// Precision of the weights
    #[arg(long)]
    quantization: Option<String>,
    /// Number of simultaneous requests
    #[arg(long)]
    concurrency: Option<u32>,
    /// Smallest model, in 10^9 parameters
    #[arg(long)]
    min_params_b: Option<f64>,
    /// Largest model, in 10^9 parameters
    #[arg(long)]
    max_params_b: Option<f64>,
    /// Results since this moment, for instance 2026-11-01T00:00:00Z
    #[arg(long)]
    since: Option<String>,
    /// Results until this moment
    #[arg(long)]
    until: Option<String>,
    /// Results of the person with this name
    #[arg(long)]
    user: Option<String>,
    /// Origin: measured, imported or simulated; the last two are shown only when asked for
    #[arg(long)]
    origin: Option<String>,
    /// Results that failed a validity check too
    #[arg(long)]
    include_invalid: bool,
    /// Results that were superseded too
    #[arg(long)]
    include_superseded: bool,
    /// Most results to show
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub(crate) async fn query(client: &Client, format: Format, options: QueryOptions) -> anyhow::Result<()> {
    if options.origin.as_deref() == Some("imported") {
        return imported(client, format, &options).await;
    }
    let results = client.catalog(&parameters(&options)).await?;
    if format == Format::Json {
        return output::json(&results);
    }
    if results.is_empty() {
        output::notice("no result matches");
        if options.origin.is_none() {
            output::notice(
                "hint: --origin simulated shows what the simulator made, --origin imported what others published",
            );
        }
        return Ok(());
    }
    output::data(&tables::results(&results));
    Ok(())
}

/// What others measured has a list and columns of its own.
async fn imported(client: &Client, format: Format, options: &QueryOptions) -> anyhow::Result<()> {
    let unknown = [
        ("--instance-family", options.instance_family.is_some()),
        ("--min-params-b", options.min_params_b.is_some()),
        ("--max-params-b", options.max_params_b.is_some()),
        ("--since", options.since.is_some()),
        ("--until", options.until.is_some()),
        ("--user", options.user.is_some()),
    ];
    if let Some((flag, _)) = unknown.iter().find(|(_, given)| *given) {
        bail!("imported results cannot be chosen by {flag}; leave it out");
    }
    let parameters: Vec<(&'static str, String)> = [
        ("model", options.model.clone()),
        ("instance_type", options.instance.clone()),
        ("accelerator_name", options.accelerator.clone()),
        ("engine", options.engine.clone()),
        ("precision", options.quantization.clone()),
        ("concurrency", options.concurrency.map(|value| value.to_string())),
        ("limit", Some(options.limit.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let results = client.imported(&parameters).await?;
    if format == Format::Json {
        return output::json(&results);
    }
    if results.is_empty() {
        output::notice("no imported result matches");
        return Ok(());
    }
    output::data(&tables::imported::results(&results));
    output::notice(
        "measured by others, under their conditions; --output json has sources and caveats in full",
    );
    Ok(())
}

fn parameters(options: &QueryOptions) -> Vec<(&'static str, String)> {
    let flag = |set: bool| set.then(|| "true".to_owned());
    let number = |value: Option<f64>| value.map(|value| value.to_string());
    [
        ("model", options.model.clone()),
        ("instance_type", options.instance.clone()),
        ("instance_family", options.instance_family.clone()),
        ("accelerator_name", options.accelerator.clone()),
        ("engine", options.engine.clone()),
        ("quantization", options.quantization.clone()),
        ("concurrency", options.concurrency.map(|value| value.to_string())),
        ("min_params_b", number(options.min_params_b)),
        ("max_params_b", number(options.max_params_b)),
        ("since", options.since.clone()),
        ("until", options.until.clone()),
        ("submitted_by", options.user.clone()),
        ("origin", options.origin.clone()),
        ("include_invalid", flag(options.include_invalid)),
        ("include_superseded", flag(options.include_superseded)),
        ("limit", Some(options.limit.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
