//! `accelbench models`: lists models, shows one, and adds one by its name on the Hugging Face Hub.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::token::TokenArguments;
use crate::completer;
use crate::session::Session;
use crate::{known, tables};

#[derive(Debug, Args)]
pub(crate) struct ModelsOptions {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// List the models of the catalog
    List {
        /// Models whose id holds this text
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show a model with the commits of it that are known
    Show {
        /// Hugging Face id of the model
        #[arg(add = completer::models())]
        model: String,
    },
    /// Look a model up on the Hugging Face Hub and add it to the catalog
    Add {
        /// Hugging Face id of the model
        model: String,
        /// Branch, tag or commit [default: the newest of its main branch]
        #[arg(long)]
        revision: Option<String>,
        #[command(flatten)]
        token: TokenArguments,
    },
}

pub(crate) async fn models(session: &Session, options: ModelsOptions) -> anyhow::Result<()> {
    match options.command {
        ModelsCommand::List { search } => {
            let models = session.client.models(&search).await?;
            session.output.show(&models, || tables::models(&models))
        }
        ModelsCommand::Show { model } => {
            known::model(&session.client, &model).await?;
            show(session, &session.client.model(&model).await?)
        }
        ModelsCommand::Add { model, revision, token } => {
            let request = json!({"id": model, "revision": revision, "hf_token": token.token()?});
            show(session, &session.client.add_model(&request).await?)
        }
    }
}

fn show(session: &Session, model: &Value) -> anyhow::Result<()> {
    session.output.show(model, || tables::reference::facts(model))
}
