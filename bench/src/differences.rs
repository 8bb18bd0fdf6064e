//! Whether comparisons keep their promise on whole measurements: engines that are equal but for their chance must be
//! called so in 95 of 100 comparisons, and one that takes a tenth longer must be found.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::num::NonZeroU32;

use accelbench_core::load::LoadReport;
use accelbench_core::metric::Metric;
use accelbench_core::stats::{Difference, Verdict};
use accelbench_simulator::{SimulatorOptions, Timing};
use anyhow::Context as _;
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::client::{self, ClientOptions};

/// The metrics that are compared.
const METRICS: [&str; 5] =
    ["output_tokens_per_s", "ttft_mean_ms", "ttft_p50_ms", "itl_mean_ms", "e2e_p90_ms"];

/// Medians of the engine's times, whose logarithms are normally distributed.
const TTFT_MS: f64 = 40.0;
const ITL_MS: f64 = 4.0;
const OUTPUT_TOKENS: u32 = 32;
const CONCURRENCY: u32 = 16;

#[derive(Debug, Clone, Args)]
pub(crate) struct DifferenceOptions {
    /// Comparisons of each kind
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Length of each window in seconds
    #[arg(long, default_value_t = 4.0)]
    window_s: f64,
}

/// How often each verdict was right.
#[derive(Debug, Default)]
struct Counts {
    equal_called_equal: u32,
    longer_found: u32,
}

pub(crate) fn run(options: &DifferenceOptions) -> anyhow::Result<()> {
    client::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(compare(options))
}

async fn compare(options: &DifferenceOptions) -> anyhow::Result<()> {
    let mut counts: BTreeMap<&str, Counts> = METRICS.map(|metric| (metric, Counts::default())).into();
    for round in 0..options.rounds {
        writeln!(io::stderr(), "round {} of {}", round + 1, options.rounds)?;
        let seed = u64::from(3 * round);
        let base = measure(options, seed, 1.0).await?;
        let equal = measure(options, seed + 1, 1.0).await?;
        let longer = measure(options, seed + 2, 1.1).await?;
        for (&name, counts) in &mut counts {
            let metric: Metric = name.parse()?;
            counts.equal_called_equal +=
                u32::from(verdict(metric, &base, &equal)? == Verdict::NoClearDifference);
            let slower = if metric == Metric::OutputTokensPerS { Verdict::Lower } else { Verdict::Higher };
            counts.longer_found += u32::from(verdict(metric, &base, &longer)? == slower);
        }
    }
    print(&counts, options.rounds)
}

fn verdict(metric: Metric, base: &LoadReport, other: &LoadReport) -> anyhow::Result<Verdict> {
    let estimate = |report: &LoadReport| {
        report
            .estimates
            .get(&metric)
            .copied()
            .with_context(|| format!("the window is too short for {metric}"))
    };
    Ok(Difference::between(&estimate(base)?, &estimate(other)?).verdict)
}

async fn measure(options: &DifferenceOptions, seed: u64, factor: f64) -> anyhow::Result<LoadReport> {
    let mut simulated = SimulatorOptions { port: 0, seed, ..SimulatorOptions::default() };
    simulated.timing = Timing::Lognormal;
    client::MODEL.clone_into(&mut simulated.model);
    (simulated.pace.ttft_ms, simulated.pace.itl_ms) = (TTFT_MS * factor, ITL_MS * factor);
    let listener = accelbench_simulator::bind(&simulated).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(accelbench_simulator::serve(simulated, listener, std::future::pending()));
    let report = client::measure(&ClientOptions {
        url,
        concurrency: NonZeroU32::new(CONCURRENCY).unwrap_or(NonZeroU32::MIN),
        output_tokens: OUTPUT_TOKENS,
        window_s: options.window_s,
    })
    .await;
    server.abort();
    report
}

fn print(counts: &BTreeMap<&str, Counts>, rounds: u32) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(vec!["metric", "equal ones called equal", "a tenth longer found"]);
    for (metric, counts) in counts {
        let share = |count: u32| format!("{count} of {rounds}");
        table.add_row(vec![
            (*metric).to_owned(),
            share(counts.equal_called_equal),
            share(counts.longer_found),
        ]);
    }
    writeln!(io::stdout(), "{table}")?;
    Ok(())
}
