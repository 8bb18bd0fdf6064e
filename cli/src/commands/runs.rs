//! `accelbench runs`: lists, shows and cancels runs.

use accelbench_core::run::Run;
use clap::{Args, Subcommand};

use crate::arguments::Format;
use crate::client::Client;
use crate::commands::run::show_results;
use crate::{output, tables};

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
        #[arg(long)]
        model: Option<String>,
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
        run: String,
    },
    /// Cancel runs: they are torn down within seconds
    Cancel {
        /// The runs
        #[arg(required = true)]
        runs: Vec<String>,
    },
}

pub(crate) async fn runs(client: &Client, format: Format, options: RunsOptions) -> anyhow::Result<()> {
    match options.command {
        RunsCommand::List { model, phase, user, limit } => {
            let query = [
                ("model", model),
                ("phase", phase),
                ("submitted_by", user),
                ("limit", Some(limit.to_string())),
            ];
            let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            list(format, &client.runs(&query).await?)
        }
        RunsCommand::Show { run } => show(client, format, &run).await,
        RunsCommand::Cancel { runs } => {
            for run in runs {
                client.cancel(&run).await?;
                output::notice(&format!("run {run} is being cancelled"));
            }
            Ok(())
        }
    }
}

fn list(format: Format, runs: &[Run]) -> anyhow::Result<()> {
    match format {
        Format::Json => output::json(&runs),
        Format::Table if runs.is_empty() => {
            output::notice("there are no runs; start one with `accelbench run`");
            Ok(())
        }
        Format::Table => {
            output::data(&tables::runs(runs));
            Ok(())
        }
    }
}

async fn show(client: &Client, format: Format, run_id: &str) -> anyhow::Result<()> {
    let run = client.run(run_id).await?;
    if format == Format::Json {
        return output::json(&run);
    }
    let events = client.events(run_id).await?;
    output::data(&tables::runs(std::slice::from_ref(&run)));
    output::data("");
    for event in events {
        output::data(&format!("{}  {:<14} {}", event.at.format("%H:%M:%S%.3f"), event.phase, event.message));
    }
    if run.phase.verdict() == Some(&accelbench_core::run::Verdict::Succeeded) {
        output::data("");
        show_results(client, format, run_id).await?;
    }
    Ok(())
}
