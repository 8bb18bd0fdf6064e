//! `accelbench bench`: measures any OpenAI-compatible server from here, without an AccelBench server.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use accelbench_core::dataset::{Dataset, DatasetName, STANDARD, Sha256Hex};
use accelbench_core::engine::server_root;
use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadPlan, LoadProgress, LoadReport, SCHEMA_VERSION, kinds_of_load};
use accelbench_core::run::{RunId, validate_exploration, validate_load};
use accelbench_core::workload::Workload;
use accelbench_loadgen::{Access, ApiKey, LoadSink};
use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::Value;
use url::Url;

use super::load::LoadArguments;
use super::progress;
use crate::judgement::{BaselineArguments, JudgementArguments};
use crate::output::Output;
use crate::{output, shutdown, tables};

/// Where the key of an engine that asks for one comes from.
const API_KEY_VARIABLE: &str = "ACCELBENCH_ENGINE_API_KEY";

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct BenchOptions {
    /// Address of the server, with or without /v1. A server that asks for a key is given that of
    /// ACCELBENCH_ENGINE_API_KEY
    url: Url,
    /// The name under which it serves the model [default: the only one that it serves]
    #[arg(long)]
    model: Option<String>,
    /// File to be used instead of the built-in prompts: JSON lines with a `prompt` or `messages` each, ShareGPT's JSON,
    /// or CSV with input_tokens and output_tokens, and t_s where it is a trace
    #[arg(long, value_name = "FILE")]
    dataset: Option<PathBuf>,
    #[command(flatten)]
    load: LoadArguments,
    /// Page of an exporter of accelerator metrics on the server's machine (DCGM, neuron-monitor); may be repeated
    #[arg(long, value_name = "URL")]
    accelerator_metrics: Vec<Url>,
    #[command(flatten)]
    judgement: JudgementArguments,
    #[command(flatten)]
    baseline: BaselineArguments,
    /// A request that takes longer than this counts as failed, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    request_timeout: u64,
}

pub(crate) async fn bench(output: &Output, options: BenchOptions) -> anyhow::Result<()> {
    let bytes = match &options.dataset {
        Some(path) => {
            fs::read(path).with_context(|| format!("the dataset {} cannot be read", path.display()))?
        }
        None => STANDARD.to_vec(),
    };
    let dataset = Dataset::parse(&bytes)?;
    let access = access(&options)?;
    let plan = plan(&options, &access, &dataset, &bytes).await?;
    let screen = Screen { bar: progress::bar(), reports: Mutex::default(), conclusion: Mutex::default() };
    let stdout = output::SilencedStdout::silence()?;
    let measured = accelbench_loadgen::measure(&plan, &dataset, &access, &screen);
    let outcome = tokio::select! {
        outcome = measured => outcome,
        _ = shutdown::requested() => Err(anyhow::anyhow!("stopped before the end")),
    };
    stdout.restore()?;
    screen.bar.finish_and_clear();
    // What was measured before something went wrong is worth showing all the same.
    let mut reports = screen.reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    // An exploration measures here and there; a curve is read from left to right.
    reports.sort_by(|a, b| a.offered_load.amount().total_cmp(&b.offered_load.amount()));
    show(output, &reports)?;
    if let Some(conclusion) = screen.conclusion.into_inner().unwrap_or_else(PoisonError::into_inner) {
        output::notice(&format!("found: {}", conclusion.sentence));
    }
    outcome?;
    options.judgement.judge(&reports, Some(&options.baseline))
}

fn show(output: &Output, reports: &[LoadReport]) -> anyhow::Result<()> {
    if !reports.is_empty() || !output.is_for_people() {
        output.show(&reports, || tables::reports(reports))?;
    }
    if output.is_for_people() {
        let reservations = tables::reservations(reports);
        if !reservations.is_empty() {
            output::notice(&format!("reservations:\n{}", reservations.trim_end()));
        }
    }
    Ok(())
}

/// The key never comes from a flag: flags are seen by everybody on the machine.
fn access(options: &BenchOptions) -> anyhow::Result<Access> {
    let key = std::env::var(API_KEY_VARIABLE).ok().filter(|key| !key.trim().is_empty());
    Ok(Access {
        request_timeout: Duration::from_secs(options.request_timeout),
        api_key: key.as_deref().map(ApiKey::new).transpose()?,
    })
}

async fn plan(
    options: &BenchOptions,
    access: &Access,
    dataset: &Dataset,
    bytes: &[u8],
) -> anyhow::Result<LoadPlan> {
    if !matches!(options.url.scheme(), "http" | "https") {
        bail!("`{}` is no http:// or https:// address; give for instance http://127.0.0.1:8000", options.url);
    }
    let base_url = server_root(&options.url);
    let load_points = options.load.load_points();
    let exploration = options.load.exploration();
    match &exploration {
        Some(exploration) => validate_exploration(exploration, options.load.slo().as_ref())?,
        None => validate_load(&load_points, &options.load.measurement())?,
    }
    let workload = Workload {
        dataset: DatasetName::standard(),
        lengths: options.load.lengths(dataset.is_lengths()),
        eos: options.load.eos(),
        turns: options.load.turns,
        shared_prefix_tokens: options.load.shared_prefix_len,
        seed: options.load.seed,
    };
    workload.validate()?;
    workload.validate_dataset(dataset, &kinds_of_load(&load_points, exploration))?;
    Ok(LoadPlan {
        schema_version: SCHEMA_VERSION,
        run_id: RunId::new(),
        served_model_name: served_model(&base_url, access, options.model.as_deref()).await?,
        base_url,
        workload,
        dataset_sha256: Sha256Hex::of(bytes),
        max_context_tokens: None,
        load_points,
        exploration,
        explored: Vec::new(),
        slo: options.load.slo(),
        measurement: options.load.measurement(),
        accelerator_metrics: options.accelerator_metrics.clone(),
        reported: Vec::new(),
    })
}

async fn served_model(base_url: &Url, access: &Access, wanted: Option<&str>) -> anyhow::Result<String> {
    let url = base_url.join("v1/models")?;
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let mut answer = client.get(url.clone());
    if let Some(key) = &access.api_key {
        answer = answer.header(reqwest::header::AUTHORIZATION, key.bearer());
    }
    let answer: Value = async { answer.send().await?.error_for_status()?.json().await }
        .await
        .with_context(|| format!("{url} does not list the server's models"))?;
    let served = answer["data"].as_array().into_iter().flatten();
    let served: Vec<&str> = served.filter_map(|model| model["id"].as_str()).collect();
    match (wanted, served.as_slice()) {
        (Some(wanted), served) if served.contains(&wanted) => Ok(wanted.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => bail!("the server at {base_url} serves no model"),
        (Some(wanted), served) => bail!("the server does not serve `{wanted}` but {}", served.join(", ")),
        (None, served) => bail!("the server serves {}; choose one with --model", served.join(", ")),
    }
}

/// Shows progress and keeps the reports.
struct Screen {
    bar: ProgressBar,
    reports: Mutex<Vec<LoadReport>>,
    conclusion: Mutex<Option<Conclusion>>,
}

impl LoadSink for Screen {
    async fn progress(&self, told: &LoadProgress) -> anyhow::Result<()> {
        progress::show(&self.bar, told);
        Ok(())
    }

    async fn report(&self, report: &LoadReport) -> anyhow::Result<()> {
        progress::line(
            &self.bar,
            &format!(
                "{}: {:.0} output tok/s, TTFT p50 {:.1} ms, ITL p50 {:.2} ms, {} requests, {} failed",
                report.offered_load,
                report.output_tokens_per_s,
                report.ttft_ms.p50,
                report.itl_ms.p50,
                report.requests_completed,
                report.failed()
            ),
        );
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report.clone());
        Ok(())
    }

    async fn conclusion(&self, conclusion: &Conclusion) -> anyhow::Result<()> {
        *self.conclusion.lock().unwrap_or_else(PoisonError::into_inner) = Some(conclusion.clone());
        Ok(())
    }
}
