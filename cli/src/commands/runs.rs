//! `accelbench runs`: lists, shows, watches and cancels runs.

use accelbench_core::run::{Run, Verdict};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::follow::{self, Patience};
use super::run::{refuse_failure, show_results};
use crate::exit::Failure;
use crate::session::Session;
use crate::{completer, output, tables};

#[derive(Debug, Args)]
pub(crate) struct RunsOptions {
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List runs, the newest first
    List {
        /// Runs of this model
        #[arg(long, add = completer::models())]
        model: Option<String>,
        /// Runs on this instance type
        #[arg(long, add = completer::instances())]
        instance: Option<String>,
        /// Runs in this phase: queued, deploying, awaiting_ready, loading, recording, tearing_down or finished
        #[arg(long)]
        phase: Option<String>,
        /// Runs of the person with this name
        #[arg(long)]
        user: Option<String>,
        /// Most runs to show
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show a run with its timeline and results
    Show {
        /// The run
        #[arg(add = completer::runs())]
        run: String,
        /// End as the run did: with 7 if it failed, with 8 if it has not ended
        #[arg(long)]
        exit_status: bool,
    },
    /// Follow a run to its end and print its results
    Watch {
        /// The run
        #[arg(add = completer::runs())]
        run: String,
        #[command(flatten)]
        patience: Patience,
    },
    /// Print what a part of a run wrote, once the run has ended
    Logs {
        /// The run
        #[arg(add = completer::runs())]
        run: String,
        /// Which part
        #[arg(long, value_enum, default_value_t = LogSource::Engine)]
        source: LogSource,
    },
    /// Cancel runs: they are torn down within seconds
    Cancel {
        /// The runs
        #[arg(required = true, add = completer::runs())]
        runs: Vec<String>,
    },
    /// Submit the request of a run once more
    Retry {
        /// The run
        #[arg(add = completer::runs())]
        run: String,
    },
    /// Let a run whose teardown kept failing be torn down once more
    Requeue {
        /// The run
        #[arg(add = completer::runs())]
        run: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogSource {
    /// The inference engine
    Engine,
    /// The load generator
    Loadgen,
}

pub(crate) async fn runs(session: &Session, options: RunsOptions) -> anyhow::Result<()> {
    let client = &session.client;
    match options.command {
        RunsCommand::List { model, instance, phase, user, limit } => {
            let query = [
                ("model", model),
                ("instance_type", instance),
                ("phase", phase),
                ("submitted_by", user),
                ("limit", Some(limit.to_string())),
            ];
            let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            list(session, &client.runs(&query).await?)
        }
        RunsCommand::Show { run, exit_status } => show(session, &run, exit_status).await,
        RunsCommand::Watch { run, patience } => {
            refuse_failure(&follow::to_the_end(session, &run, patience).await?)?;
            show_results(session, &run).await
        }
        RunsCommand::Logs { run, source } => logs(session, &run, source).await,
        RunsCommand::Cancel { runs } => {
            for run in runs {
                client.cancel(&run).await?;
                output::notice(&format!("run {run} is being cancelled"));
            }
            Ok(())
        }
        RunsCommand::Retry { run } => {
            let submitted = client.retry(&run).await?;
            session.output.show(&submitted, || submitted.id.to_string())
        }
        RunsCommand::Requeue { run } => {
            client.requeue(&run).await?;
            output::notice(&format!("run {run} is torn down once more"));
            Ok(())
        }
    }
}

fn list(session: &Session, runs: &[Run]) -> anyhow::Result<()> {
    if runs.is_empty() && session.output.is_for_people() {
        output::notice("there are no runs; start one with `accelbench run`");
        return Ok(());
    }
    session.output.show(&runs, || tables::runs(runs))
}

async fn show(session: &Session, run_id: &str, exit_status: bool) -> anyhow::Result<()> {
    let run = session.client.run(run_id).await?;
    session.output.show(&run, || tables::runs(std::slice::from_ref(&run)))?;
    if session.output.is_for_people() {
        output::data("");
        for event in session.client.events(run_id).await? {
            let at = event.at.format("%H:%M:%S%.3f");
            output::data(&format!("{at}  {:<14} {}", event.phase, event.message));
        }
        if run.phase.verdict() == Some(&Verdict::Succeeded) {
            output::data("");
            show_results(session, run_id).await?;
        }
    }
    if !exit_status {
        return Ok(());
    }
    if !run.phase.is_finished() {
        let phase = run.phase.as_str().to_owned();
        return Err(Failure::Pending { run_id: run_id.to_owned(), phase }.into());
    }
    refuse_failure(&run)
}

async fn logs(session: &Session, run_id: &str, source: LogSource) -> anyhow::Result<()> {
    let source = match source {
        LogSource::Engine => "engine",
        LogSource::Loadgen => "loadgen",
    };
    let log = session.client.log(run_id, source).await?;
    if session.output.is_for_people() {
        output::text(&log);
        return Ok(());
    }
    let lines: Vec<Value> = log.lines().map(|line| json!({"source": source, "line": line})).collect();
    session.output.show(&lines, || log.clone())
}
