//! How values look on a page: askama's filters.

#![expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    clippy::inline_always,
    clippy::unused_self,
    unreachable_pub,
    reason = "askama prescribes the form of filters and makes their code"
)]

use accelbench_core::load::LoadProgress;
use accelbench_core::run::{PlatformSpec, Run, RunSpec};
use accelbench_core::validity::Outcome;
use askama::{Result, Values};

/// A number with three digits or so.
#[askama::filter_fn]
pub(crate) fn two(value: &f64, _: &dyn Values) -> Result<String> {
    Ok(match *value {
        value if value < 100.0 => format!("{value:.2}"),
        value => format!("{value:.0}"),
    })
}

/// A number without decimals.
#[askama::filter_fn]
pub(crate) fn whole(value: &f64, _: &dyn Values) -> Result<String> {
    Ok(format!("{value:.0}"))
}

/// What serves the run.
#[askama::filter_fn]
pub(crate) fn engine(spec: &RunSpec, _: &dyn Values) -> Result<String> {
    Ok(match &spec.platform {
        PlatformSpec::Local { engine } => engine.to_string(),
        PlatformSpec::Endpoint { url } => url.to_string(),
    })
}

/// The run's state in a word or two.
#[askama::filter_fn]
pub(crate) fn state(run: &Run, _: &dyn Values) -> Result<String> {
    Ok(match (run.phase.is_finished(), run.phase.verdict()) {
        (true, Some(verdict)) => verdict.as_str().to_owned(),
        _ if run.parked_reason.is_some() => "parked".to_owned(),
        _ => run.phase.as_str().replace('_', " "),
    })
}

/// The state's colour; the word stands beside it.
#[askama::filter_fn]
pub(crate) fn tone(run: &Run, _: &dyn Values) -> Result<&'static str> {
    Ok(match run.phase.verdict().map(accelbench_core::run::Verdict::as_str) {
        _ if run.parked_reason.is_some() => "bad",
        Some("succeeded") => "good",
        Some("failed") => "bad",
        _ => "warn",
    })
}

/// A check's colour; the word stands beside it.
#[askama::filter_fn]
pub(crate) fn outcome_tone(outcome: &Outcome, _: &dyn Values) -> Result<&'static str> {
    Ok(match outcome {
        Outcome::Pass => "good",
        Outcome::Warn => "warn",
        Outcome::Fail => "bad",
    })
}

/// How far the whole load is, in thousandths.
#[askama::filter_fn]
pub(crate) fn permille(progress: &LoadProgress, _: &dyn Values) -> Result<u32> {
    let points = f64::from(progress.load_point_count.max(1));
    Ok(((f64::from(progress.load_point_index) + progress.fraction.clamp(0.0, 1.0)) / points * 1000.0) as u32)
}
