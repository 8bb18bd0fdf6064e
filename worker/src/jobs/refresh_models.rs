//! Asks the Hub for the newest commits of the models that the catalog keeps fresh: a new one is a reason to measure again.

use accelbench_core::model::{Model, ModelId, Revision};
use accelbench_core::secret::HfToken;
use accelbench_hub::{Hub, HubError, Timeouts};
use accelbench_store::error::chain;
use accelbench_store::models::{self, Lookup};
use accelbench_store::{PgPool, catalog_targets};
use anyhow::Context as _;

use crate::worker::Worker;

/// Most models that one tick asks for, so that the Hub is not pressed: the rest is still due at the next.
const BATCH: i64 = 20;

/// Looks at the models that are due: each once a day, and an hour after a look that failed.
pub(super) async fn run_due(worker: &Worker) -> anyhow::Result<()> {
    let hub = worker.hub.connect(Timeouts::default()).context("the Hugging Face Hub cannot be asked")?;
    let Some(hub) = hub else { return Ok(()) };
    run(&worker.pool, &hub, worker.catalog.hf_token.as_ref()).await
}

/// Looks at the models that are due; one that cannot be had does not keep the others from being looked at, a Hub that does
/// not answer does.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn run(pool: &PgPool, hub: &Hub, token: Option<&HfToken>) -> anyhow::Result<()> {
    let due = catalog_targets::models_to_look_up(&mut *pool.acquire().await?, BATCH).await?;
    for model in due {
        let answer = hub.resolve(&model, None, token).await;
        let silent = matches!(answer, Err(HubError::Unreachable { .. } | HubError::TimedOut { .. }));
        note(pool, &model, answer.as_ref().map(Model::from)).await?;
        if silent {
            break;
        }
    }
    Ok(())
}

async fn note(pool: &PgPool, model: &ModelId, answer: Result<Model, &HubError>) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    let lookup = match answer {
        Ok(resolved) => {
            models::add_resolved(&mut transaction, &resolved).await?;
            let commit = resolved.revision.as_ref().map(Revision::as_str).unwrap_or_default();
            tracing::debug!(model = %model, commit, "the Hub told the newest commit");
            Lookup::Answered
        }
        Err(error) => {
            let reason = chain(error);
            tracing::warn!(
                model = %model,
                error = reason,
                "the newest commit of a model of the catalog is not known; its last one stays"
            );
            Lookup::Failed(reason)
        }
    };
    models::note_lookup(&mut transaction, model, &lookup).await?;
    Ok(transaction.commit().await?)
}
