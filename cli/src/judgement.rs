//! Whether what was measured is good enough: assertions, and a baseline that it must not be worse than. Pure; the
//! commands say where the numbers come from.

use std::path::PathBuf;

use accelbench_core::load::LoadReport;
use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::exit::Failure;
use crate::output;

mod assertion;
mod baseline;
mod junit;

pub(crate) use assertion::Assertion;
pub(crate) use baseline::{better, read_reports};

/// What is asked of the numbers.
#[derive(Debug, Clone, Args)]
pub(crate) struct JudgementArguments {
    /// What each load point must keep, for instance ttft_p95<500ms, output_tokens_per_s>=1000 or error_share<1%; may be
    /// repeated. One that is broken ends the program with 99
    #[arg(long = "assert", value_name = "CONDITION")]
    assertions: Vec<Assertion>,
    /// Write what was asserted as a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What was measured before, and must not have become worse.
#[derive(Debug, Clone, Args)]
pub(crate) struct BaselineArguments {
    /// What `bench -o json` wrote before: a number that is worse than there beyond chance ends the program with 99
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How much worse than the baseline a number may be, in percent
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT", requires = "baseline")]
    tolerance: f64,
}

/// One judgement of one load point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Judgement {
    /// The load point.
    pub(crate) load: String,
    /// What was asked.
    pub(crate) condition: String,
    /// Whether it holds.
    pub(crate) holds: bool,
    /// What was seen, in words.
    pub(crate) sentence: String,
}

impl JudgementArguments {
    /// Whether anything is asked.
    pub(crate) fn is_given(&self) -> bool {
        !self.assertions.is_empty() || self.junit.is_some()
    }

    /// Judges reports, tells it, writes the JUnit report, and fails if a judgement does.
    pub(crate) fn judge(
        &self,
        reports: &[LoadReport],
        baseline: Option<&BaselineArguments>,
    ) -> anyhow::Result<()> {
        let asserted = reports.iter().flat_map(|report| self.assertions.iter().map(|it| it.judge(report)));
        let mut judgements: Vec<Judgement> = asserted.collect();
        if let Some(BaselineArguments { baseline: Some(file), tolerance }) = baseline {
            judgements.extend(baseline::judge(&read_reports(file)?, reports, *tolerance, file)?);
        }
        for judgement in &judgements {
            let word = if judgement.holds { "ok" } else { "FAILED" };
            output::notice(&format!("{word:<7}{}: {}", judgement.load, judgement.sentence));
        }
        if let Some(file) = &self.junit {
            let report = junit::report(reports, &judgements)?;
            std::fs::write(file, report).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        let count = judgements.iter().filter(|judgement| !judgement.holds).count();
        let all = judgements.len();
        if count > 0 { Err(Failure::AssertionFailed { count, all }.into()) } else { Ok(()) }
    }
}
