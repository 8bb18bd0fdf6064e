//! The load generator under test, as a process of its own on a core of its own.

use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use accelbench_core::dataset::{Dataset, Prompt, Sha256Hex};
use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadPlan, LoadProgress, LoadReport, Measurement, OfferedLoad, SCHEMA_VERSION};
use accelbench_core::run::RunId;
use accelbench_core::workload::{EosPolicy, Lengths, Workload};
use accelbench_loadgen::{Access, LoadSink};
use anyhow::Context as _;
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rustls::crypto::aws_lc_rs;
use serde_json::json;

/// The name under which the engine serves its model.
pub(crate) const MODEL: &str = "precise";

/// Words of a prompt; about a token each.
const PROMPT_WORDS: usize = 64;

#[derive(Debug, Clone, Args)]
pub(crate) struct ClientOptions {
    /// Address of the server
    #[arg(long)]
    pub(crate) url: String,
    /// Simultaneous requests
    #[arg(long)]
    pub(crate) concurrency: NonZeroU32,
    /// Tokens of each answer
    #[arg(long)]
    pub(crate) output_tokens: u32,
    /// Length of the window in seconds
    #[arg(long)]
    pub(crate) window_s: f64,
}

#[derive(Default)]
struct Reports(Mutex<Vec<LoadReport>>);

impl LoadSink for Reports {
    async fn progress(&self, _progress: &LoadProgress) -> anyhow::Result<()> {
        Ok(())
    }

    async fn report(&self, report: &LoadReport) -> anyhow::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(report.clone());
        Ok(())
    }

    async fn conclusion(&self, _: &Conclusion) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Measures and prints the report with what it cost.
pub(crate) fn run(options: &ClientOptions) -> anyhow::Result<()> {
    install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(measure(options))?;
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let cpu_us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let told = json!({"report": report, "cpu_us": cpu_us, "max_rss_kib": usage.max_rss()});
    writeln!(io::stdout(), "{told}")?;
    Ok(())
}

/// As the command `accelbench loadgen` does it.
pub(crate) fn install_crypto() {
    let _ = aws_lc_rs::default_provider().install_default();
}

/// Measures one load point.
pub(crate) async fn measure(options: &ClientOptions) -> anyhow::Result<LoadReport> {
    let (plan, reports) = (plan(options)?, Reports::default());
    let dataset = Dataset::Prompts(prompts());
    accelbench_loadgen::measure(&plan, &dataset, &Access::open(Duration::from_mins(2)), &reports).await?;
    let reports = reports.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.into_iter().next().context("no report")
}

fn plan(options: &ClientOptions) -> anyhow::Result<LoadPlan> {
    let lengths = Lengths::AsInDataset { output_tokens: options.output_tokens };
    Ok(LoadPlan {
        schema_version: SCHEMA_VERSION,
        run_id: RunId::new(),
        base_url: options.url.parse()?,
        served_model_name: MODEL.to_owned(),
        workload: Workload { lengths, eos: EosPolicy::Ignore, ..Workload::default() },
        dataset_sha256: Sha256Hex::of(b"precise"),
        max_context_tokens: None,
        load_points: vec![OfferedLoad::Concurrency(options.concurrency)],
        measurement: Measurement {
            min_duration_s: options.window_s,
            min_requests: 1,
            max_duration_s: options.window_s,
            ramp_up_s: 0.0,
        },
        accelerator_metrics: Vec::new(),
        exploration: None,
        explored: Vec::new(),
        slo: None,
        reported: Vec::new(),
    })
}

fn prompts() -> Vec<Prompt> {
    let prompt = |number: usize| Prompt::text(format!("{number} {}", "word ".repeat(PROMPT_WORDS)));
    (0..512).map(prompt).collect()
}
