//! Submits a run for every target of the catalog that is due and that the budget allows, behind all runs of people. Without
//! a budget nothing is: a refresh spends money.

use accelbench_core::catalog::refresh::{Expectation, Planned, Reason};
use accelbench_core::run::{Priority, RunId, RunSpec};
use accelbench_store::catalog_targets::{self, PlanOptions};
use accelbench_store::runs::{self, NewRun, Submitted};
use accelbench_store::secrets::SecretKey;
use accelbench_store::{Error, PgConnection, PgPool, datasets, models};

use crate::options::CatalogOptions;

/// Most runs that one tick submits, so that its transaction stays short: the rest is still due at the next.
const BATCH: usize = 50;

/// Submits what is due; several at once take turns, so that nothing is submitted twice.
///
/// # Errors
/// When the database cannot be read or written: then nothing was submitted.
pub async fn run(pool: &PgPool, secret_key: &SecretKey, options: &CatalogOptions) -> anyhow::Result<()> {
    let Some(budget_usd) = options.budget_usd else { return Ok(()) };
    let mut transaction = pool.begin().await?;
    catalog_targets::take_turns(&mut transaction).await?;
    let wanted = PlanOptions {
        region: options.region.clone(),
        budget_usd: Some(budget_usd),
        has_token: options.hf_token.is_some(),
    };
    let plan = catalog_targets::plan(&mut transaction, &wanted).await?;
    let mut submitted = 0;
    for submission in plan.submissions().take(BATCH) {
        let (run_id, planned) = (RunId::new(), submission.0);
        let token = options.hf_token.as_ref().filter(|_| planned.gated);
        let sealed = token.map(|token| secret_key.seal(run_id, token));
        match submit(&mut transaction, run_id, submission, sealed.as_deref()).await {
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
    transaction.commit().await?;
    if submitted > 0 {
        tracing::info!(submitted, budget.usd = budget_usd, "catalog targets were submitted");
    }
    Ok(())
}

async fn submit(
    connection: &mut PgConnection,
    run_id: RunId,
    (planned, reason, expected): (&Planned, Reason, &Expectation),
    hf_token_sealed: Option<&[u8]>,
) -> Result<(), Error> {
    let dataset = datasets::find(connection, &planned.spec.workload.dataset).await?;
    let spec = of_newest_revision(connection, &planned.spec).await?;
    let new = NewRun {
        spec: &spec,
        dataset_sha256: &dataset.sha256,
        priority: Priority::Catalog,
        submitted_by: None,
        hf_token_sealed,
        revision_absent_reason: None,
        idempotency_key: None,
    };
    let (Submitted::New(run_id) | Submitted::Existing(run_id)) =
        runs::submit(connection, run_id, &new).await?;
    catalog_targets::note_submission(connection, planned.catalog_target_id, run_id, reason, expected).await
}

/// The request with the newest commit of its model that is known, unless it names one.
async fn of_newest_revision(connection: &mut PgConnection, spec: &RunSpec) -> Result<RunSpec, Error> {
    let newest = models::revisions(connection, &spec.model).await?.first().and_then(|it| it.parse().ok());
    Ok(RunSpec { revision: spec.revision.clone().or(newest), ..spec.clone() })
}
