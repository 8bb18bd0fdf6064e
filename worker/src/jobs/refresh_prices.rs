//! Asks the AWS Price List for the prices of every region that the operator named. Prices that did not change write
//! nothing but the note that they were looked at.

use std::collections::BTreeSet;

use accelbench_core::instance::InstanceTypeName;
use accelbench_store::prices::{self, Refresh};
use accelbench_store::{PgPool, instances};
use chrono::Utc;

use crate::prices::{PriceList, SOURCE};
use crate::worker::Worker;

/// Looks at the regions that are due: each once a day, and an hour after a look that failed.
pub(super) async fn run_due(worker: &Worker) -> anyhow::Result<()> {
    let mut due = Vec::new();
    for region in &worker.price_regions {
        if prices::is_due(&mut *worker.pool.acquire().await?, SOURCE, region).await? {
            due.push(region.clone());
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    run(&worker.pool, &worker.price_list().await, &due).await
}

/// Looks at all regions; one that fails does not keep the others from being looked at.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn run(pool: &PgPool, list: &PriceList, regions: &[String]) -> anyhow::Result<()> {
    let names = instances::names(&mut *pool.acquire().await?).await?;
    let names: BTreeSet<InstanceTypeName> =
        names.iter().filter_map(|name| name.parse().ok()).filter(InstanceTypeName::is_aws).collect();
    for region in regions {
        let outcome = list.prices(region, &names, Utc::now()).await;
        let mut transaction = pool.begin().await?;
        let outcome = match outcome {
            Ok(found) => Ok((found.len(), prices::record(&mut transaction, &found).await?)),
            Err(error) => Err(format!("{error:#}")),
        };
        match &outcome {
            Ok((offers, changed)) => tracing::info!(region, offers, changed, "prices were refreshed"),
            Err(error) => tracing::warn!(
                region,
                error,
                "prices could not be refreshed; the newest known ones stay, with their age. Give the worker AWS credentials that allow pricing:GetProducts"
            ),
        }
        prices::note_refresh(&mut transaction, &Refresh { source: SOURCE, region, outcome }).await?;
        transaction.commit().await?;
    }
    Ok(())
}
