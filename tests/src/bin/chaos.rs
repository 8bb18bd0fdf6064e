//! Chaos: `chaos --rounds 200 --seed 1`. Exits with 1 if anything came out wrong. See `make chaos`.

use std::io::Write as _;
use std::process::ExitCode;

use accelbench_tests::chaos::{Options, chaos};
use clap::Parser;

/// Breaks a whole installation again and again, and looks whether everything came out right
#[derive(Debug, Parser)]
struct Arguments {
    /// Rounds, each with some runs and some faults
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// What decides which
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { rounds, seed } = Arguments::parse();
    say(&format!("{rounds} rounds of seed {seed}"));
    let report = chaos(Options { rounds, seed }, say).await?;
    say(&report.to_string());
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nobody who listens is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
