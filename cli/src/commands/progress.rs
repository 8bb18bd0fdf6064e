//! Progress on stderr: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use accelbench_core::load::{LoadProgress, LoadStage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::notice;

/// A bar from 0 to 1000.
pub(crate) fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {elapsed}  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A line above the bar.
pub(crate) fn line(bar: &ProgressBar, text: &str) {
    if stderr().is_terminal() { bar.println(text) } else { notice(text) }
}

/// How far the load is.
pub(crate) fn show(bar: &ProgressBar, progress: &LoadProgress) {
    let points = f64::from(progress.load_point_count.max(1));
    let share = (f64::from(progress.load_point_index) + progress.fraction.clamp(0.0, 1.0)) / points;
    bar.set_position((share * 1000.0) as u64);
    bar.set_message(describe(progress));
}

fn describe(progress: &LoadProgress) -> String {
    let stage = match progress.stage {
        LoadStage::Preparing => "preparing prompts",
        LoadStage::WarmingUp => "warming up",
        LoadStage::Measuring => "measuring",
        LoadStage::Draining => "last requests",
    };
    let latency = |name: &str, value: Option<f64>| {
        value.map_or_else(String::new, |value| format!(", {name} {value:.1} ms"))
    };
    format!(
        "{} ({} of {}): {stage}, {} requests, {} errors, {:.0} tok/s{}{}",
        progress.offered_load,
        progress.load_point_index + 1,
        progress.load_point_count,
        progress.requests_completed,
        progress.requests_failed,
        progress.output_tokens_per_s,
        latency("TTFT p50", progress.ttft_p50_ms),
        latency("TPOT p50", progress.tpot_p50_ms),
    )
}
