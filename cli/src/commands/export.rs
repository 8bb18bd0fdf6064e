//! `accelbench export`: reports in the forms of other tools.

use std::path::PathBuf;

use accelbench_core::exchange::Form;
use accelbench_core::load::LoadReport;
use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::client::Client;
use crate::judgement::read_reports;
use crate::session::Session;
use crate::{completer, output};

/// What to export.
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// What `bench --output json` wrote; - reads it from stdin
    #[arg(required_unless_present = "run", conflicts_with = "run", requires = "model")]
    file: Option<PathBuf>,
    /// The results of this run, from the server
    #[arg(long, value_name = "RUN", add = completer::runs())]
    run: Option<String>,
    /// The model, where the file does not name it
    #[arg(long)]
    model: Option<String>,
    /// Whose form
    #[arg(long, value_enum)]
    form: ExportForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportForm {
    /// The file that `vllm bench serve --save-result` writes
    Vllm,
    /// The benchmark report of llm-d, version 0.2.1
    LlmD,
}

/// One load point is written as it is, several as a list.
pub(crate) async fn export(session: &Session, options: ExportOptions) -> anyhow::Result<()> {
    let reports = match (&options.file, &options.run) {
        (Some(file), _) => {
            let model = options.model.unwrap_or_default();
            read_reports(file)?.into_iter().map(|report| (report, model.clone())).collect()
        }
        (None, Some(run)) => of_run(&session.client, run).await?,
        (None, None) => bail!("name a file or a run"),
    };
    let form = match options.form {
        ExportForm::Vllm => Form::Vllm,
        ExportForm::LlmD => Form::LlmD,
    };
    let exported: Vec<Value> = reports.iter().map(|(report, model)| form.export(report, model)).collect();
    match exported.as_slice() {
        [only] => output::json(only),
        several => output::json(&several),
    }
}

async fn of_run(client: &Client, run: &str) -> anyhow::Result<Vec<(LoadReport, String)>> {
    let results = client.results_of(run).await?;
    if results.is_empty() {
        bail!("run {run} has no results; `accelbench runs show {run}` says why");
    }
    Ok(results.into_iter().map(|result| (result.report, result.provenance.model.to_string())).collect())
}
