//! Follows a run on stderr: a progress bar on a terminal, plain lines elsewhere. A server that is away for a moment is
//! waited for; the run does not depend on us.

use std::time::Duration;

use accelbench_core::run::{Run, RunEvent};

use crate::client::Client;
use crate::commands::progress;
use crate::exit::Failure;
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
    let bar = progress::bar();
    let (mut told, mut failures) = (0, 0);
    loop {
        match look(client, run_id).await {
            Ok((run, events)) => {
                failures = 0;
                for event in events.iter().filter(|event| event.sequence > told) {
                    progress::line(&bar, &format!("{:<14} {}", event.phase, event.message));
                }
                told = events.last().map_or(told, |event| event.sequence);
                match &run.progress {
                    Some(told) => progress::show(&bar, told),
                    None => bar.set_message(run.phase.as_str()),
                }
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
