//! `accelbench run`: submits a run and, with `--wait`, follows it to its results.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use accelbench_core::dataset::Dataset;
use accelbench_core::run::Verdict;
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::estimate;
use super::load::LoadArguments;
use super::token::hf_token;
use crate::arguments::Format;
use crate::client::Client;
use crate::exit::Failure;
use crate::{output, tables};

mod follow;

/// What to benchmark.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Hugging Face id of the model
    #[arg(long)]
    model: String,
    /// Branch, tag or commit of the model [default: the newest of its main branch]
    #[arg(long)]
    revision: Option<String>,
    /// Instance type, for instance g6e.xlarge [default: `local` or `external`, as the engine demands]
    #[arg(long)]
    instance: Option<String>,
    /// Engine on the worker's machine [default: simulator], or on the cluster: vllm or simulator [default: vllm]
    #[arg(long, conflicts_with = "endpoint")]
    engine: Option<String>,
    /// Deploy on the cluster of the installation, on a node of the instance type
    #[arg(long, conflicts_with = "endpoint", requires = "instance")]
    kubernetes: bool,
    /// An OpenAI-compatible server that already runs
    #[arg(long, value_name = "URL")]
    endpoint: Option<Url>,
    #[command(flatten)]
    load: LoadArguments,
    /// Name of a dataset, or @FILE to upload one prompt a line as JSON
    #[arg(long, default_value = "standard", value_name = "NAME|@FILE")]
    dataset: String,
    /// Precision of the weights: bf16, fp16, fp8, int8 or int4 [default: as the model comes]
    #[arg(long)]
    quantization: Option<String>,
    /// Over how many accelerators one replica is split [default: on a cluster, as few as hold the weights, elsewhere 1]
    #[arg(long, visible_alias = "tp", value_name = "COUNT")]
    tensor_parallel: Option<u32>,
    /// End the run after this long in any case, in seconds
    #[arg(long, default_value_t = 7200, value_name = "SECONDS")]
    timeout: u32,
    /// Name to find your runs by
    #[arg(long, env = "ACCELBENCH_USER")]
    user: Option<String>,
    /// File with your Hugging Face token, for gated models; the variable HF_TOKEN serves as well
    #[arg(long, value_name = "FILE")]
    hf_token_file: Option<PathBuf>,
    /// Refuse the run if it might cost more than this, by its estimate or at its time limit
    #[arg(long, value_name = "USD")]
    max_cost: Option<f64>,
    /// Check everything and say what the run would be like, without submitting it
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Wait for the end and print the results
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(client: &Client, format: Format, options: RunOptions) -> anyhow::Result<()> {
    let (dataset, gives_lengths) = dataset(client, &options.dataset).await?;
    let request = request(&options, &dataset, gives_lengths || options.load.replays())?;
    if options.dry_run {
        return estimate::show(format, &client.estimate_of(&request).await?);
    }
    let submitted = client.submit(&request, &Uuid::now_v7().to_string()).await?;
    let run_id = submitted.id.to_string();
    output::notice(&format!(
        "run {run_id} submitted; follow it at {}",
        client.page(&format!("runs/{run_id}"))
    ));
    if !options.wait {
        return match format {
            Format::Table => {
                output::data(&run_id);
                Ok(())
            }
            Format::Json => output::json(&submitted),
        };
    }
    let ended = follow::to_the_end(client, &run_id).await?;
    match ended.phase.verdict() {
        Some(Verdict::Succeeded) => show_results(client, format, &run_id).await,
        Some(verdict) => Err(Failure::RunFailed {
            verdict: verdict.as_str().to_owned(),
            reason: verdict.reason().unwrap_or("a person asked for it").to_owned(),
        }
        .into()),
        None => bail!("run {run_id} ended without a verdict"),
    }
}

/// Prints the results of a run with what stands against them.
pub(crate) async fn show_results(client: &Client, format: Format, run_id: &str) -> anyhow::Result<()> {
    let results = client.results_of(run_id).await?;
    if format == Format::Json {
        return output::json(&results);
    }
    output::data(&tables::results(&results));
    let reservations = tables::reservations(results.iter().map(|result| &result.report));
    if !reservations.is_empty() {
        output::notice(&format!("reservations:\n{}", reservations.trim_end()));
    }
    Ok(())
}

fn request(options: &RunOptions, dataset: &str, gives_lengths: bool) -> anyhow::Result<Value> {
    let platform = match &options.endpoint {
        Some(url) => json!({"kind": "endpoint", "url": url}),
        None if options.kubernetes => {
            json!({"kind": "kubernetes", "engine": options.engine.as_deref().unwrap_or("vllm")})
        }
        None => json!({"kind": "local", "engine": engine(options)}),
    };
    let mut request = json!({
        "model": options.model,
        "instance_type": instance(options),
        "platform": platform,
        "tensor_parallel": options.tensor_parallel,
        "workload": workload(options, dataset, gives_lengths),
        "load_points": options.load.load_points(),
        "measurement": options.load.measurement(),
        "timeout_s": options.timeout,
    });
    if let Some(exploration) = options.load.exploration() {
        request["exploration"] = serde_json::to_value(exploration)?;
    }
    if let Some(max_cost_usd) = options.max_cost {
        request["max_cost_usd"] = max_cost_usd.into();
    }
    if let Some(slo) = options.load.slo() {
        request["slo"] = serde_json::to_value(slo)?;
    }
    let optional = BTreeMap::from([
        ("revision", options.revision.clone()),
        ("quantization", options.quantization.clone()),
        ("submitted_by", options.user.clone()),
        ("hf_token", hf_token(options.hf_token_file.as_deref())?),
    ]);
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        request[name] = value.into();
    }
    Ok(request)
}

fn engine(options: &RunOptions) -> &str {
    options.engine.as_deref().unwrap_or_else(|| {
        output::notice("note: no --engine and no --endpoint given: the simulator plays the engine, and the results say so");
        "simulator"
    })
}

fn instance(options: &RunOptions) -> &str {
    match (&options.instance, &options.endpoint, options.engine.as_deref()) {
        (Some(instance), _, _) => instance,
        (None, Some(_), _) => "external",
        (None, None, None | Some("simulator")) => "g6e.xlarge",
        (None, None, Some(_)) => "local",
    }
}

fn workload(options: &RunOptions, dataset: &str, gives_lengths: bool) -> Value {
    let load = &options.load;
    let mut workload = json!({
        "dataset": dataset,
        "lengths": load.lengths(gives_lengths),
        "eos": load.eos(),
        "seed": load.seed,
    });
    if load.turns != 1 {
        workload["turns"] = load.turns.into();
    }
    if load.shared_prefix_len > 0 {
        workload["shared_prefix_tokens"] = load.shared_prefix_len.into();
    }
    workload
}

/// The dataset's name or version, and whether it is known to hold nothing but lengths.
async fn dataset(client: &Client, name: &str) -> anyhow::Result<(String, bool)> {
    let Some(path) = name.strip_prefix('@') else { return Ok((name.to_owned(), false)) };
    let bytes = fs::read(path).with_context(|| format!("the dataset {path} cannot be read"))?;
    let stem =
        PathBuf::from(path).file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = stem
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .take(64)
        .collect();
    let gives_lengths = Dataset::parse(&bytes)?.is_lengths();
    let stored = client.upload_dataset(&name, bytes).await?;
    let sha256 = stored["sha256"].as_str().context("the server did not say the dataset's hash")?;
    output::notice(&format!("dataset {path} uploaded: {} prompts, sha256 {sha256}", stored["prompt_count"]));
    Ok((sha256.to_owned(), gives_lengths))
}
