//! What the load generator reports beside what a server of precise times saw, condition by condition, measured side by
//! side in one run: server and client are processes on a core each.

use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use accelbench_core::load::LoadReport;
use accelbench_core::stats::Summary;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::Value;

use crate::truth::{self, Request};

#[derive(Debug, Clone, Args)]
pub(crate) struct FidelityOptions {
    /// Length of each window in seconds
    #[arg(long, default_value_t = 20.0)]
    window_s: f64,
    /// Only conditions whose name contains this
    #[arg(long, default_value = "")]
    only: String,
}

struct Condition {
    name: &'static str,
    concurrency: u32,
    server: &'static [&'static str],
}

const CONDITIONS: &[Condition] = &[
    Condition { name: "1 stream", concurrency: 1, server: &[] },
    Condition { name: "16 streams", concurrency: 16, server: &[] },
    Condition { name: "64 streams", concurrency: 64, server: &[] },
    Condition { name: "256 streams", concurrency: 256, server: &[] },
    Condition { name: "1024 streams", concurrency: 1024, server: &[] },
    Condition { name: "256, running usage", concurrency: 256, server: &["--running-usage"] },
    Condition { name: "early role", concurrency: 8, server: &["--early-role"] },
    Condition { name: "4 a chunk", concurrency: 8, server: &["--tokens-per-chunk", "4", "--running-usage"] },
    Condition { name: "4 a chunk, no usage", concurrency: 8, server: &["--tokens-per-chunk", "4"] },
    Condition { name: "20 % empty text", concurrency: 8, server: &["--empty-share", "0.2"] },
    Condition { name: "lognormal 0.3", concurrency: 64, server: &["--sigma", "0.3"] },
    Condition { name: "ceiling 1 ms", concurrency: 64, server: &["--ttft-ms", "1", "--itl-ms", "1"] },
    Condition { name: "ceiling 0 ms", concurrency: 64, server: &["--ttft-ms", "0", "--itl-ms", "0"] },
];

const OUTPUT_TOKENS: u32 = 64;

/// What one condition came to.
struct Outcome {
    report: LoadReport,
    truth: Truth,
    cpu_us_per_token: f64,
    max_rss_mib: f64,
    first_request_s: f64,
}

/// The report's figures as the server knows them.
struct Truth {
    ttft_ms: Summary,
    itl_ms: Summary,
    e2e_ms: Summary,
    output_tokens_per_s: f64,
    in_flight: f64,
    lateness_us: f64,
}

pub(crate) fn run(options: &FidelityOptions) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header([
        "condition",
        "TTFT p50",
        "TTFT p99",
        "ITL p50",
        "ITL p99",
        "E2E p50",
        "tok/s",
        "in flight",
        "server late us",
        "CPU us/token",
        "MiB",
        "first request s",
    ]);
    let cores = available_cores()?;
    let mut out = stdout();
    writeln!(out, "Reported / true, times in ms; server on core {}, client on core {}.", cores.0, cores.1)?;
    for condition in CONDITIONS.iter().filter(|condition| condition.name.contains(&options.only)) {
        writeln!(std::io::stderr(), "measuring: {}", condition.name)?;
        let outcome = measure(condition, options.window_s, cores)
            .with_context(|| format!("condition `{}`", condition.name))?;
        table.add_row(row(condition, &outcome));
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn available_cores() -> anyhow::Result<(usize, usize)> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let mut cores = (0..CpuSet::count()).filter(|&core| allowed.is_set(core).unwrap_or(false));
    let (first, second) = (cores.next(), cores.next());
    first.zip(second).context("the benchmark needs two cores: one for the server, one for the client")
}

fn measure(condition: &Condition, window_s: f64, cores: (usize, usize)) -> anyhow::Result<Outcome> {
    let truth = tempfile::NamedTempFile::new()?;
    let mut server =
        start(cores.0, &["server", "--truth", &truth.path().to_string_lossy()], condition.server)?;
    let mut lines = BufReader::new(server.stdout.take().context("the server has no output")?).lines();
    let url = format!("http://{}/", lines.next().context("the server did not start")??);
    let started_at = nanoseconds(Utc::now());
    let (concurrency, window) = (condition.concurrency.to_string(), window_s.to_string());
    let tokens = OUTPUT_TOKENS.to_string();
    let arguments = [
        "client",
        "--url",
        &url,
        "--concurrency",
        &concurrency,
        "--window-s",
        &window,
        "--output-tokens",
        &tokens,
    ];
    let client = start(cores.1, &arguments, &[])?.wait_with_output()?;
    drop(server.stdin.take());
    ensure!(server.wait()?.success(), "the server broke off");
    ensure!(client.status.success(), "the client broke off");
    // goose prints too.
    let last = client.stdout.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let told: Value = serde_json::from_slice(last).context("the client told nothing")?;
    outcome(&told, truth.path(), started_at)
}

/// Starts this program as server or client on a core of its own.
fn start(core: usize, arguments: &[&str], more: &[&str]) -> anyhow::Result<Child> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    // A child inherits the cores of the thread that starts it.
    let before = sched_getaffinity(Pid::from_raw(0))?;
    sched_setaffinity(Pid::from_raw(0), &cores)?;
    let child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    sched_setaffinity(Pid::from_raw(0), &before)?;
    Ok(child?)
}

fn outcome(told: &Value, truth: &Path, started_at: u64) -> anyhow::Result<Outcome> {
    let report: LoadReport = serde_json::from_value(told["report"].clone())?;
    let requests = truth::load(truth)?;
    let tokens: u64 =
        requests.iter().flat_map(|request| &request.writes).map(|write| u64::from(write.1)).sum();
    let first = requests.iter().map(|request| request.arrived).min().context("no request came")?;
    Ok(Outcome {
        truth: truth_of(&requests, &report)?,
        report,
        cpu_us_per_token: told["cpu_us"].as_f64().unwrap_or(f64::NAN) / tokens as f64,
        max_rss_mib: told["max_rss_kib"].as_f64().unwrap_or(f64::NAN) / 1024.0,
        first_request_s: first.saturating_sub(started_at) as f64 / 1e9,
    })
}

/// Nanoseconds since 1970.
fn nanoseconds(moment: DateTime<Utc>) -> u64 {
    moment.timestamp_nanos_opt().unwrap_or_default().cast_unsigned()
}

fn truth_of(requests: &[Request], report: &LoadReport) -> anyhow::Result<Truth> {
    let window = nanoseconds(report.started_at)..nanoseconds(report.finished_at);
    let window_s = (window.end - window.start) as f64 / 1e9;
    let inside = || requests.iter().filter(|request| request.complete && window.contains(&request.arrived));
    let ms = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e6;
    let last = |request: &Request| request.writes.last().map_or(request.arrived, |write| write.0);
    let gaps = |request: &Request| {
        let gaps = request.writes.windows(2);
        gaps.flat_map(|pair| {
            let tokens = pair[1].1;
            std::iter::repeat_n((pair[1].0 - pair[0].0) as f64 / 1e6 / f64::from(tokens), tokens as usize)
        })
        .collect::<Vec<f64>>()
    };
    let writes = || requests.iter().flat_map(|request| &request.writes);
    let summary = |mut values: Vec<f64>| Summary::of(&mut values).context("no request in the window");
    let busy_ns: u64 = requests
        .iter()
        .map(|request| last(request).min(window.end).saturating_sub(request.arrived.max(window.start)))
        .sum();
    let late: u64 = requests.iter().map(|request| request.lateness_sum).sum();
    Ok(Truth {
        ttft_ms: summary(inside().filter_map(|it| Some(ms(it.arrived, it.writes.first()?.0))).collect())?,
        itl_ms: summary(inside().flat_map(gaps).collect())?,
        e2e_ms: summary(inside().map(|it| ms(it.arrived, last(it))).collect())?,
        output_tokens_per_s: writes()
            .filter(|write| window.contains(&write.0))
            .map(|write| f64::from(write.1))
            .sum::<f64>()
            / window_s,
        in_flight: busy_ns as f64 / 1e9 / window_s,
        lateness_us: late as f64 / 1e3 / writes().count().max(1) as f64,
    })
}

fn row(condition: &Condition, outcome: &Outcome) -> Vec<String> {
    let Outcome { report, truth, .. } = outcome;
    let pair = |reported: f64, truth: f64| format!("{reported:.2} / {truth:.2}");
    vec![
        condition.name.to_owned(),
        pair(report.ttft_ms.p50, truth.ttft_ms.p50),
        pair(report.ttft_ms.p99, truth.ttft_ms.p99),
        pair(report.itl_ms.p50, truth.itl_ms.p50),
        pair(report.itl_ms.p99, truth.itl_ms.p99),
        pair(report.e2e_ms.p50, truth.e2e_ms.p50),
        format!("{:.0} / {:.0}", report.output_tokens_per_s, truth.output_tokens_per_s),
        format!(
            "{:.1} / {:.1} ({:.2} %)",
            report.concurrency_mean,
            truth.in_flight,
            100.0 * truth.in_flight / f64::from(condition.concurrency)
        ),
        format!("{:.1}", truth.lateness_us),
        format!("{:.1}", outcome.cpu_us_per_token),
        format!("{:.0}", outcome.max_rss_mib),
        format!("{:.2}", outcome.first_request_s),
    ]
}
