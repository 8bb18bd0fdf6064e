//! `accelbench estimate`: how fast, how long and how dear a run on a cluster would be, before anything is paid.

use clap::Args;
use serde_json::Value;

use super::deployment::DeploymentArguments;
use crate::output;
use crate::session::Session;

/// What would be run.
#[derive(Debug, Args)]
pub(crate) struct EstimateOptions {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Tokens of each prompt [default: measured conversations]
    #[arg(long, value_name = "TOKENS", requires = "output_len")]
    input_len: Option<u32>,
    /// Tokens of each answer
    #[arg(long, value_name = "TOKENS", requires = "input_len")]
    output_len: Option<u32>,
    /// Numbers of simultaneous requests, one load point each
    #[arg(long, value_name = "COUNT,...", default_value = "1,4,16")]
    concurrency: String,
    /// AWS region of the prices [default: that of the server's cluster]
    #[arg(long)]
    region: Option<String>,
}

pub(crate) async fn estimate(session: &Session, options: EstimateOptions) -> anyhow::Result<()> {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let parameters = options.deployment.parameters([
        ("input_tokens", number(options.input_len)),
        ("output_tokens", number(options.output_len)),
        ("concurrency", Some(options.concurrency)),
        ("region", options.region),
    ]);
    show(session, &session.client.estimate(&parameters).await?)
}

/// Prints an estimate, which says of itself that it is one.
pub(crate) fn show(session: &Session, answer: &Value) -> anyhow::Result<()> {
    if let Some(reason) = answer["revision_absent_reason"].as_str() {
        output::notice(&format!("note: the model's commit is not known: {reason}"));
    }
    session.output.show(answer, || answer["estimate"]["sentence"].as_str().unwrap_or_default().to_owned())
}
