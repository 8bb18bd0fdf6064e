//! Follows a run on stderr: a progress bar on a terminal, plain lines elsewhere. A server that is away for a moment is
//! waited for; the run does not depend on us.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use accelbench_core::load::{LoadProgress, LoadStage};
use accelbench_core::run::{Run, RunEvent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::client::Client;
use crate::exit::Failure;
use crate::output::notice;
use crate::shutdown;

const INTERVAL: Duration = Duration::from_millis(300);

/// How often in a row the server may fail to answer before the waiting ends.
const PATIENCE: u32 = 200;

/// Waits until the run is finished; Ctrl-C stops the waiting, not the run.
pub(super) async fn to_the_end(client: &Client, run_id: &str) -> anyhow::Result<Run> {
    tokio::select! {
        ended = watch(client, run_id) => ended,
        _ = shutdown::requested() => Err(Failure::Interrupted { run_id: run_id.to_owned() }.into()),
    }
}

async fn watch(client: &Client, run_id: &str) -> anyhow::Result<Run> {
    let bar = bar();
    let (mut told, mut failures) = (0, 0);
    loop {
        match look(client, run_id).await {
            Ok((run, events)) => {
                failures = 0;
                for event in events.iter().filter(|event| event.sequence > told) {
                    line(&bar, &format!("{:<14} {}", event.phase, event.message));
                }
                told = events.last().map_or(told, |event| event.sequence);
                show(&bar, &run);
                if run.phase.is_finished() {
                    bar.finish_and_clear();
                    return Ok(run);
                }
            }
            Err(error) if failures >= PATIENCE => return Err(error),
            Err(_) => failures += 1,
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn look(client: &Client, run_id: &str) -> anyhow::Result<(Run, Vec<RunEvent>)> {
    // The run is read first: when it is finished, its events are complete.
    let run = client.run(run_id).await?;
    Ok((run, client.events(run_id).await?))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {elapsed}  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn line(bar: &ProgressBar, text: &str) {
    if stderr().is_terminal() { bar.println(text) } else { notice(text) }
}

fn show(bar: &ProgressBar, run: &Run) {
    let Some(progress) = &run.progress else {
        bar.set_message(run.phase.as_str());
        return;
    };
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
    format!(
        "{} ({} of {}): {stage}, {} requests, {} errors, {:.0} tok/s",
        progress.offered_load,
        progress.load_point_index + 1,
        progress.load_point_count,
        progress.requests_completed,
        progress.requests_failed,
        progress.output_tokens_per_s
    )
}
