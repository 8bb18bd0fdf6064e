//! Submits a run for every target of the catalog that is due and that the budget allows, behind all runs of people. Without
//! a budget nothing is: a refresh spends money.

use accelbench_core::catalog::refresh::{Expectation, Planned, Reason, RefreshPlan};
use accelbench_core::run::{Priority, RunId};
use accelbench_store::catalog_targets::{self, PlanOptions};
use accelbench_store::runs::{self, NewRun, Submitted};
use accelbench_store::{Error, PgConnection, datasets};

use crate::worker::Worker;

/// Most runs that one tick submits, so that its transaction stays short: the rest is still due at the next.
const BATCH: usize = 50;

pub(super) async fn run(worker: &Worker) -> anyhow::Result<()> {
    let Some(budget_usd) = worker.catalog.budget_usd else { return Ok(()) };
    let mut transaction = worker.pool.begin().await?;
    catalog_targets::take_turns(&mut transaction).await?;
    let options = PlanOptions {
        region: worker.catalog.region.clone(),
        budget_usd: Some(budget_usd),
        has_token: worker.catalog.hf_token.is_some(),
    };
    let plan = catalog_targets::plan(&mut transaction, &options).await?;
    let submitted = submit_all(worker, &mut transaction, &plan).await?;
    transaction.commit().await?;
    if submitted > 0 {
        tracing::info!(submitted, budget.usd = budget_usd, "catalog targets were submitted");
    }
    Ok(())
}

async fn submit_all(
    worker: &Worker,
    connection: &mut PgConnection,
    plan: &RefreshPlan,
) -> anyhow::Result<usize> {
    let mut submitted = 0;
    for (planned, reason, expected) in plan.submissions().take(BATCH) {
        match submit(worker, connection, planned, reason, expected).await {
            Ok(()) => submitted += 1,
            // The others need not wait for a dataset that is missing.
            Err(error @ Error::NotFound { .. }) => tracing::warn!(
                catalog.target = %planned.catalog_target_id,
                error = format!("{error}"),
                "a catalog target cannot be submitted"
            ),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(submitted)
}

async fn submit(
    worker: &Worker,
    connection: &mut PgConnection,
    planned: &Planned,
    reason: Reason,
    expected: &Expectation,
) -> Result<(), Error> {
    let dataset = datasets::find(connection, &planned.spec.workload.dataset).await?;
    let run_id = RunId::new();
    let token = worker.catalog.hf_token.as_ref().filter(|_| planned.gated);
    let sealed = token.map(|token| worker.secret_key.seal(run_id, token));
    let new = NewRun {
        spec: &planned.spec,
        dataset_sha256: &dataset.sha256,
        priority: Priority::Catalog,
        submitted_by: None,
        hf_token_sealed: sealed.as_deref(),
        revision_absent_reason: None,
        idempotency_key: None,
    };
    let (Submitted::New(run_id) | Submitted::Existing(run_id)) =
        runs::submit(connection, run_id, &new).await?;
    catalog_targets::note_submission(connection, planned.catalog_target_id, run_id, reason, expected).await
}
