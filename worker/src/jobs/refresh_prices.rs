//! Asks AWS for the prices of every region that the operator named, and for instance types that it offers there since.
//! Prices that did not change write nothing but the note that they were looked at.

use std::collections::BTreeSet;

use accelbench_core::instance::InstanceTypeName;
use accelbench_store::prices::{self, Refresh};
use accelbench_store::{PgPool, instances};
use chrono::Utc;

use crate::ec2::Ec2;
use crate::jobs::refresh_instances;
use crate::prices::price_list::PriceList;
use crate::prices::savings_plans::SavingsPlans;
use crate::prices::spot::SpotHistory;
use crate::prices::{PriceSource, price_list, savings_plans, spot};
use crate::worker::Worker;

/// Everything that tells prices, by name.
const SOURCES: [&str; 3] = [price_list::SOURCE, savings_plans::SOURCE, spot::SOURCE];

/// Looks at the regions that are due: each once a day, and an hour after a look that failed. Sources are asked with the
/// credentials as they are now: they may have changed since yesterday.
pub(super) async fn run_due(worker: &Worker) -> anyhow::Result<()> {
    let [of_list, of_plans, of_spot] = SOURCES.map(|source| due(worker, source));
    let (of_list, of_plans, of_spot) = (of_list.await?, of_plans.await?, of_spot.await?);
    let pool = &worker.pool;
    if !of_list.is_empty() || !of_spot.is_empty() {
        let ec2 = Ec2::from_environment().await?;
        // Before the prices: those of an instance type that is not known are left out.
        for region in &of_list {
            refresh_instances::run_or_warn(pool, &ec2, region).await;
        }
        run(pool, &SpotHistory::new(ec2), &of_spot).await?;
    }
    if !of_list.is_empty() {
        let list = PriceList::from_environment(worker.prices.endpoint.as_deref()).await;
        run(pool, &list, &of_list).await?;
    }
    if !of_plans.is_empty() {
        run(pool, &SavingsPlans::from_environment().await, &of_plans).await?;
    }
    Ok(())
}

async fn due(worker: &Worker, source: &str) -> anyhow::Result<Vec<String>> {
    let mut due = Vec::new();
    for region in &worker.prices.regions {
        if prices::is_due(&mut *worker.pool.acquire().await?, source, region).await? {
            due.push(region.clone());
        }
    }
    Ok(due)
}

/// Looks at a source in all regions; one that fails does not keep the others from being looked at.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn run(pool: &PgPool, source: &dyn PriceSource, regions: &[String]) -> anyhow::Result<()> {
    let names = instances::names(&mut *pool.acquire().await?).await?;
    let names: BTreeSet<InstanceTypeName> =
        names.iter().filter_map(|name| name.parse().ok()).filter(InstanceTypeName::is_aws).collect();
    for region in regions {
        let outcome = source.prices(region, &names, Utc::now()).await;
        let mut transaction = pool.begin().await?;
        let outcome = match outcome {
            Ok(found) => Ok((found.len(), prices::record(&mut transaction, &found).await?)),
            Err(error) => Err(format!("{error:#}")),
        };
        match &outcome {
            Ok((offers, changed)) => {
                tracing::info!(source = source.name(), region, offers, changed, "prices were refreshed");
            }
            Err(error) => tracing::warn!(
                source = source.name(),
                region,
                error,
                "prices could not be refreshed; the newest known ones stay, with their age. Give the worker AWS credentials that allow {}",
                source.permission()
            ),
        }
        prices::note_refresh(&mut transaction, &Refresh { source: source.name(), region, outcome }).await?;
        transaction.commit().await?;
    }
    Ok(())
}
