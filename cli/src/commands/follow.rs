//! Follows a run on stderr: a progress bar on a terminal, plain lines elsewhere. A server that is away for a moment is
//! waited for; the run does not depend on us.

use std::time::Duration;

use accelbench_core::run::{Run, RunEvent};
use clap::Args;
use indicatif::ProgressBar;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::commands::progress;
use crate::exit::Failure;
use crate::output::Format;
use crate::session::Session;
use crate::{output, shutdown};

const INTERVAL: Duration = Duration::from_millis(300);

/// How often in a row the server may fail to answer before the waiting ends.
const MOST_FAILURES: u32 = 200;

/// How long a run is waited for.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Patience {
    /// Stop waiting after this long, in seconds; the run goes on
    #[arg(long, value_name = "SECONDS")]
    wait_timeout: Option<u64>,
}

/// Waits until the run is finished; Ctrl-C stops the waiting, not the run.
pub(super) async fn to_the_end(session: &Session, run_id: &str, patience: Patience) -> anyhow::Result<Run> {
    let bar = progress::bar();
    let watched = watch(session, run_id, &bar);
    let seconds = patience.wait_timeout.unwrap_or(u64::MAX);
    let ended = tokio::select! {
        ended = timeout(Duration::from_secs(seconds), watched) => {
            ended.unwrap_or_else(|_elapsed| Err(Failure::TimedOut { run_id: run_id.to_owned(), seconds }.into()))
        }
        _ = shutdown::requested() => Err(Failure::Interrupted { run_id: run_id.to_owned() }.into()),
    };
    bar.finish_and_clear();
    ended
}

async fn watch(session: &Session, run_id: &str, bar: &ProgressBar) -> anyhow::Result<Run> {
    // Programs that read lines are given the events as they come.
    let streams = session.output.format == Format::Jsonl;
    let (mut told, mut failures) = (0, 0);
    loop {
        match look(&session.client, run_id).await {
            Ok((run, events)) => {
                failures = 0;
                for event in events.iter().filter(|event| event.sequence > told) {
                    progress::line(bar, &format!("{:<14} {}", event.phase, event.message));
                    if streams {
                        output::data(&serde_json::to_string(event)?);
                    }
                }
                told = events.last().map_or(told, |event| event.sequence);
                match &run.progress {
                    Some(told) => progress::show(bar, told),
                    None => bar.set_message(run.phase.as_str()),
                }
                if run.phase.is_finished() {
                    return Ok(run);
                }
            }
            Err(error) if failures >= MOST_FAILURES || is_final(&error) => return Err(error),
            Err(_) => failures += 1,
        }
        sleep(INTERVAL).await;
    }
}

/// Whether asking again cannot help: the run is not there.
fn is_final(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<Failure>(), Some(Failure::NotFound { .. } | Failure::Denied { .. }))
}

async fn look(client: &Client, run_id: &str) -> anyhow::Result<(Run, Vec<RunEvent>)> {
    // The run is read first: when it is finished, its events are complete.
    let run = client.run(run_id).await?;
    Ok((run, client.events(run_id).await?))
}
