//! Chaos for a whole installation: two servers, several workers and a database of its own do runs while processes are
//! killed and frozen, the database restarts, crashes and is cut off, disks fill and clocks jump. After each round everything
//! must have come out right. What happens follows from the seed alone; how it meets what the system does at that moment does
//! not, so that a seed tells the same story twice without being the same test.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

mod faults;
mod history;
mod invariants;
mod round;
mod system;

pub use faults::Fault;
use system::System;

/// How much chaos.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Rounds, each with some runs and some faults.
    pub rounds: u32,
    /// What decides which.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Rounds that were done.
    pub rounds: u32,
    /// How often each fault was injected.
    pub faults: BTreeMap<&'static str, u32>,
    /// How many runs ended in which way.
    pub verdicts: BTreeMap<String, u32>,
    /// Everything that must not be, in sentences.
    pub violations: Vec<String>,
    /// What this machine cannot do, with the reason.
    pub left_out: Vec<String>,
}

/// Does all rounds; goes on after a violation, so that one does not hide another.
///
/// # Errors
/// When the system under test cannot be started, or a round cannot be looked at.
pub async fn chaos(options: Options, say: impl Fn(&str)) -> anyhow::Result<Report> {
    let mut random = StdRng::seed_from_u64(options.seed);
    let mut system = System::start().await.context("the system cannot be started")?;
    let mut report = Report { left_out: system.left_out().to_vec(), ..Report::default() };
    for number in 1..=options.rounds {
        let begun = Instant::now();
        let round = round::play(&mut system, &mut random)
            .await
            .with_context(|| format!("round {number} of seed {} cannot be finished", options.seed))?;
        say(&format!("round {number} ({:.0} s): {round}", begun.elapsed().as_secs_f64()));
        report.rounds = number;
        for fault in &round.faults {
            *report.faults.entry(fault.name()).or_default() += 1;
        }
        for verdict in round.verdicts {
            *report.verdicts.entry(verdict).or_default() += 1;
        }
        report.violations.extend(round.violations.into_iter().map(|it| format!("round {number}: {it}")));
    }
    if !report.violations.is_empty() {
        say(&format!("what was logged is in {}", system.keep().display()));
    }
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let injected: u32 = self.faults.values().sum();
        writeln!(formatter, "{:>6} rounds", self.rounds)?;
        writeln!(formatter, "{injected:>6} faults")?;
        for (fault, count) in &self.faults {
            writeln!(formatter, "{count:>12} {fault}")?;
        }
        writeln!(formatter, "{:>6} runs", self.verdicts.values().sum::<u32>())?;
        for (verdict, count) in &self.verdicts {
            writeln!(formatter, "{count:>12} {verdict}")?;
        }
        for left_out in &self.left_out {
            writeln!(formatter, "LEFT OUT: {left_out}")?;
        }
        write!(formatter, "{:>6} violations", self.violations.len())?;
        for violation in &self.violations {
            write!(formatter, "\n       {violation}")?;
        }
        Ok(())
    }
}
