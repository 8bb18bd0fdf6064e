//! `accelbench fit`: whether a model fits an instance type, with the numbers.

use clap::Args;
use serde_json::Value;

use super::deployment::DeploymentArguments;
use crate::session::Session;

/// What is to be held by what.
#[derive(Debug, Args)]
pub(crate) struct FitOptions {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Tokens of the longest prompt with its answer [default: 8192]
    #[arg(long, value_name = "TOKENS")]
    context_len: Option<u32>,
    /// Requests at once [default: 16]
    #[arg(long, value_name = "COUNT")]
    concurrency: Option<u32>,
}

pub(crate) async fn fit(session: &Session, options: FitOptions) -> anyhow::Result<()> {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let parameters = options
        .deployment
        .parameters([("context", number(options.context_len)), ("concurrency", number(options.concurrency))]);
    let answer = session.client.fit(&parameters).await?;
    session.output.show(&answer, || told(&answer))
}

fn told(answer: &Value) -> String {
    let mut lines = vec![answer["sentence"].as_str().unwrap_or_default().to_owned()];
    lines.extend(
        answer["deployment"]["precision"].as_str().map(|precision| format!("  weights: {precision}")),
    );
    lines.extend(answer["elsewhere"].as_array().into_iter().flatten().map(elsewhere));
    lines.join("\n")
}

fn elsewhere(instance: &Value) -> String {
    format!(
        "  it fits {} at tensor parallel {}, for {:.2} USD an hour",
        instance["instance_type"].as_str().unwrap_or_default(),
        instance["tensor_parallel"],
        instance["usd_per_hour"].as_f64().unwrap_or_default(),
    )
}
