//! `accelbench datasets`: prompts and lengths that runs may name.

use std::fs;
use std::path::{Path, PathBuf};

use accelbench_core::dataset::Dataset;
use accelbench_store::datasets::StoredDataset;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::Client;
use crate::output;
use crate::session::Session;
use crate::tables::reference;

#[derive(Debug, Args)]
pub(crate) struct DatasetsOptions {
    #[command(subcommand)]
    command: DatasetsCommand,
}

#[derive(Debug, Subcommand)]
enum DatasetsCommand {
    /// List the datasets of the server
    List,
    /// Upload a dataset; one that is there already stays as it is
    Add {
        /// JSON lines with a `prompt` or `messages` each, ShareGPT's JSON, or CSV with input_tokens and output_tokens
        file: PathBuf,
        /// The name by which runs find it [default: the file's]
        #[arg(long)]
        name: Option<String>,
    },
    /// Say whether a file is a dataset and what it holds, without a server
    Check {
        /// The file
        file: PathBuf,
    },
}

pub(crate) async fn datasets(session: &Session, options: DatasetsOptions) -> anyhow::Result<()> {
    match options.command {
        DatasetsCommand::List => {
            let mut answer = session.client.get("datasets", &[]).await?;
            let datasets: Vec<StoredDataset> = serde_json::from_value(answer["datasets"].take())?;
            session.output.show(&datasets, || reference::datasets(&datasets))
        }
        DatasetsCommand::Add { file, name } => {
            let (stored, _) = upload(&session.client, &file, name).await?;
            session.output.show(&stored, || reference::datasets(std::slice::from_ref(&stored)))
        }
        DatasetsCommand::Check { file } => {
            let dataset = Dataset::parse(&read(&file)?).with_context(|| file.display().to_string())?;
            let kind = if dataset.is_lengths() { "lengths" } else { "prompts" };
            let answer = json!({"file": file, "holds": kind, "count": dataset.len()});
            session.output.show(&answer, || format!("{} holds {} {kind}", file.display(), dataset.len()))
        }
    }
}

/// Uploads a file, and says whether it holds nothing but lengths.
pub(crate) async fn upload(
    client: &Client,
    file: &Path,
    name: Option<String>,
) -> anyhow::Result<(StoredDataset, bool)> {
    let bytes = read(file)?;
    let gives_lengths = Dataset::parse(&bytes).with_context(|| file.display().to_string())?.is_lengths();
    let name = name.unwrap_or_else(|| name_of(file));
    let stored: StoredDataset = serde_json::from_value(client.upload_dataset(&name, bytes).await?)?;
    output::notice(&format!(
        "dataset {} uploaded: {} prompts, sha256 {}",
        file.display(),
        stored.prompt_count,
        stored.sha256
    ));
    Ok((stored, gives_lengths))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("the dataset {} cannot be read", file.display()))
}

fn name_of(file: &Path) -> String {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).take(64).collect()
}
