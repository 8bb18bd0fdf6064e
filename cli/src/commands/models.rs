//! `accelbench models`: lists models, shows one, and adds one by its name on the Hugging Face Hub.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::token::hf_token;
use crate::arguments::Format;
use crate::client::Client;
use crate::{output, tables};

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
        model: String,
    },
    /// Look a model up on the Hugging Face Hub and add it to the catalog
    Add {
        /// Hugging Face id of the model
        model: String,
        /// Branch, tag or commit [default: the newest of its main branch]
        #[arg(long)]
        revision: Option<String>,
        /// File with your Hugging Face token, for gated models; the variable HF_TOKEN serves as well
        #[arg(long, value_name = "FILE")]
        hf_token_file: Option<PathBuf>,
    },
}

pub(crate) async fn models(client: &Client, format: Format, options: ModelsOptions) -> anyhow::Result<()> {
    match options.command {
        ModelsCommand::List { search } => {
            let models = client.models(&search).await?;
            if format == Format::Json {
                return output::json(&models);
            }
            output::data(&tables::models(&models));
            Ok(())
        }
        ModelsCommand::Show { model } => show(format, &client.model(&model).await?),
        ModelsCommand::Add { model, revision, hf_token_file } => {
            let token = hf_token(hf_token_file.as_deref())?;
            let request = json!({"id": model, "revision": revision, "hf_token": token});
            show(format, &client.add_model(&request).await?)
        }
    }
}

/// What is known, one fact a line.
fn show(format: Format, model: &Value) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(model);
    }
    for (name, value) in model.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        output::data(&format!("{name:<26}{text}"));
    }
    Ok(())
}
