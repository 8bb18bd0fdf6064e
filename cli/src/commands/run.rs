//! `accelbench run`: submits a run and, with `--wait`, follows it to its results.

use accelbench_core::result::BenchmarkResult;
use accelbench_core::run::{Run, Verdict};
use anyhow::bail;
use clap::Args;
use serde_json::Value;
use uuid::Uuid;

use super::estimate;
use super::follow::{self, Patience};
use crate::exit::Failure;
use crate::judgement::JudgementArguments;
use crate::session::Session;
use crate::{output, tables};

mod like;
mod request;

pub(crate) use like::Pair;
use request::RequestArguments;

/// What to benchmark, and what to do meanwhile.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    request: RequestArguments,
    /// Check everything and say what the run would be like, without submitting it
    #[arg(long, visible_alias = "estimate", conflicts_with_all = ["wait", "detach", "like"])]
    dry_run: bool,
    /// Wait for the end and print the results; what happens is told on stderr
    #[arg(long, visible_alias = "watch")]
    wait: bool,
    /// Only submit the run, which is also what happens without --wait
    #[arg(long, conflicts_with = "wait")]
    detach: bool,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    judgement: JudgementArguments,
}

pub(crate) async fn run(session: &Session, options: RunOptions) -> anyhow::Result<()> {
    if let Some(id) = options.request.like() {
        let originals = like::originals(session, id).await?;
        let request = like::request(session, &options.request, &originals).await?;
        let run_id = submit(session, &request).await?.id.to_string();
        let results = wait(session, &run_id, &options).await?;
        return like::show(session, &originals, &results);
    }
    let request = options.request.request(session).await?;
    if options.dry_run {
        return estimate::show(session, &session.client.estimate_of(&request).await?);
    }
    let submitted = submit(session, &request).await?;
    // What is to be judged must have ended.
    if options.detach || !(options.wait || options.judgement.is_given()) {
        return session.output.show(&submitted, || submitted.id.to_string());
    }
    let run_id = submitted.id.to_string();
    let results = wait(session, &run_id, &options).await?;
    show_these(session, &results)?;
    let reports: Vec<_> = results.into_iter().map(|result| result.report).collect();
    options.judgement.judge(&reports, None)
}

async fn submit(session: &Session, request: &Value) -> anyhow::Result<Run> {
    let client = &session.client;
    let submitted = client.submit(request, &Uuid::now_v7().to_string()).await?;
    let run_id = submitted.id.to_string();
    let page = client.page(&format!("runs/{run_id}"));
    output::notice(&format!("run {run_id} submitted; follow it at {page}"));
    Ok(submitted)
}

async fn wait(session: &Session, run_id: &str, options: &RunOptions) -> anyhow::Result<Vec<BenchmarkResult>> {
    refuse_failure(&follow::to_the_end(session, run_id, options.patience).await?)?;
    session.client.results_of(run_id).await
}

/// Fails as the run did.
pub(crate) fn refuse_failure(ended: &Run) -> anyhow::Result<()> {
    match ended.phase.verdict() {
        Some(Verdict::Succeeded) => Ok(()),
        Some(verdict) => Err(Failure::RunFailed {
            verdict: verdict.as_str().to_owned(),
            reason: verdict.reason().unwrap_or("a person asked for it").to_owned(),
        }
        .into()),
        None => bail!("run {} ended without a verdict", ended.id),
    }
}

/// Prints the results of a run with what stands against them.
pub(crate) async fn show_results(session: &Session, run_id: &str) -> anyhow::Result<()> {
    show_these(session, &session.client.results_of(run_id).await?)
}

fn show_these(session: &Session, results: &[BenchmarkResult]) -> anyhow::Result<()> {
    session.output.show(&results, || tables::results(results))?;
    let reservations = tables::reservations(results.iter().map(|result| &result.report));
    if !reservations.is_empty() && session.output.is_for_people() {
        output::notice(&format!("reservations:\n{}", reservations.trim_end()));
    }
    Ok(())
}
