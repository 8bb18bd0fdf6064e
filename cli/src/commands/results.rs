//! `accelbench results`: every result, whatever is held against it.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::completer;
use crate::output;
use crate::session::Session;
use crate::tables;

#[derive(Debug, Args)]
pub(crate) struct ResultsOptions {
    #[command(subcommand)]
    command: ResultsCommand,
}

#[derive(Debug, Subcommand)]
enum ResultsCommand {
    /// List results, the newest first, also invalid and superseded ones
    List {
        /// Those of this model
        #[arg(long, add = completer::models())]
        model: Option<String>,
        /// Those on this instance type
        #[arg(long, add = completer::instances())]
        instance: Option<String>,
        /// Those of the person with this name
        #[arg(long)]
        user: Option<String>,
        /// Origin: measured or simulated
        #[arg(long)]
        origin: Option<String>,
        /// Most results to show
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show a result with everything that is known of it and what it costs in every tier
    Show {
        /// The result
        #[arg(add = completer::results())]
        result: String,
        /// AWS region of the prices
        #[arg(long)]
        region: Option<String>,
    },
    /// Let a later result take the place of one that is wrong
    Supersede {
        /// The wrong result
        #[arg(add = completer::results())]
        result: String,
        /// The one that takes its place
        #[arg(long, value_name = "RESULT", add = completer::results())]
        by: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) async fn results(session: &Session, options: ResultsOptions) -> anyhow::Result<()> {
    let client = &session.client;
    match options.command {
        ResultsCommand::List { model, instance, user, origin, limit } => {
            let query = [
                ("model", model),
                ("instance_type", instance),
                ("submitted_by", user),
                ("origin", origin),
                ("include_invalid", Some("true".to_owned())),
                ("include_superseded", Some("true".to_owned())),
                ("limit", Some(limit.to_string())),
            ];
            let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            let results = client.results(&query).await?;
            session.output.show(&results, || tables::results(&results))
        }
        ResultsCommand::Show { result, region } => {
            let query: Vec<_> = region.map(|region| ("region", region)).into_iter().collect();
            let answer = client.get(&format!("results/{result}"), &query).await?;
            session.output.show(&answer, || tables::reference::facts(&answer))
        }
        ResultsCommand::Supersede { result, by, reason } => {
            client.supersede(&result, &json!({"by": by, "reason": reason})).await?;
            output::notice(&format!("result {by} takes the place of {result}"));
            Ok(())
        }
    }
}
