//! Submits a run for every catalog entry whose newest run is older than its cadence, behind all runs of people.

use accelbench_core::run::{Priority, RunId};
use accelbench_store::catalog_entries::{self, CatalogEntry};
use accelbench_store::runs::{self, NewRun, Submitted};
use accelbench_store::{PgPool, datasets};

/// Most runs that one tick submits: the rest is still due at the next.
const BATCH: i64 = 50;

pub(super) async fn run(pool: &PgPool) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    let due = catalog_entries::due(&mut connection, BATCH).await?;
    drop(connection);
    for entry in due {
        if let Err(error) = submit(pool, &entry).await {
            tracing::warn!(catalog.entry = %entry.id, error = format!("{error:#}"), "a catalog entry could not be refreshed");
        }
    }
    Ok(())
}

async fn submit(pool: &PgPool, entry: &CatalogEntry) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    let dataset = datasets::find(&mut transaction, &entry.spec.workload.dataset).await?;
    let new = NewRun {
        spec: &entry.spec,
        dataset_sha256: &dataset.sha256,
        priority: Priority::Catalog,
        submitted_by: None,
        hf_token_sealed: None,
        revision_absent_reason: None,
        idempotency_key: None,
    };
    let (Submitted::New(run_id) | Submitted::Existing(run_id)) =
        runs::submit(&mut transaction, RunId::new(), &new).await?;
    catalog_entries::set_last_run(&mut transaction, entry.id, run_id).await?;
    transaction.commit().await?;
    tracing::info!(run.id = %run_id, model = %entry.spec.model, "a catalog refresh was submitted");
    Ok(())
}
