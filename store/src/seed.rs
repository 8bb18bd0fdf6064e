//! The reference data that comes with a release. Rows are replaced by newer facts; nothing is removed, because results
//! refer to it.

use std::collections::HashMap;

use accelbench_core::dataset::{Dataset, DatasetName, STANDARD};
use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::model::Model;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Payment, Price, PricingTier};
use chrono::{NaiveDate, NaiveTime};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;

use crate::{Error, Result, datasets, imported, instances, models, prices};

mod published;

const MODELS: &[u8] = include_bytes!("../seed/models.csv");
const INSTANCES: &[u8] = include_bytes!("../seed/instances.csv");
const PRICES: &[u8] = include_bytes!("../seed/prices.csv");
const PRICE_SOURCES: &[u8] = include_bytes!("../seed/price_sources.csv");

/// How much comes with this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    /// Models.
    pub models: usize,
    /// Instance types.
    pub instance_types: usize,
    /// Datasets.
    pub datasets: usize,
    /// Prices.
    pub prices: usize,
    /// Results that others published.
    pub imported_results: usize,
}

/// Writes the reference data; doing so again changes nothing.
///
/// # Errors
/// [`Error::Database`]; [`Error::Conflict`] when the release itself is broken.
pub async fn seed(pool: &PgPool) -> Result<Seeded> {
    let models: Vec<Model> = read("models", MODELS)?;
    let instances: Vec<InstanceType> = read("instance types", INSTANCES)?;
    let prices = read_prices()?;
    let published = published::results()?;
    let prompts = Dataset::parse(STANDARD).map_err(|error| broken("standard dataset", &error))?;
    let mut transaction = pool.begin().await?;
    // Replicas that start together take turns.
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('accelbench seed', 0))")
        .execute(&mut *transaction)
        .await?;
    for model in &models {
        models::add_seeded(&mut transaction, model).await?;
    }
    for instance in &instances {
        instances::upsert(&mut transaction, instance).await?;
    }
    prices::record(&mut transaction, &prices).await?;
    datasets::put(&mut transaction, &DatasetName::standard(), STANDARD, prompts.len(), None).await?;
    imported::withdraw_others(&mut transaction, &published).await?;
    imported::record(&mut transaction, &published, None).await?;
    transaction.commit().await?;
    Ok(Seeded {
        models: models.len(),
        instance_types: instances.len(),
        datasets: 1,
        prices: prices.len(),
        imported_results: published.len(),
    })
}

/// A row of the release's price list.
#[derive(Deserialize)]
struct PriceRow {
    instance_type: InstanceTypeName,
    region: String,
    tier: String,
    payment: Option<Payment>,
    currency: String,
    per_hour: f64,
    upfront: f64,
    as_of: NaiveDate,
    source: String,
}

#[derive(Deserialize)]
struct PriceSource {
    code: String,
    source: String,
}

fn read_prices() -> Result<Vec<Price>> {
    let sources: Vec<PriceSource> = read("price sources", PRICE_SOURCES)?;
    let sources: HashMap<String, String> =
        sources.into_iter().map(|PriceSource { code, source }| (code, source)).collect();
    read::<PriceRow>("prices", PRICES)?.into_iter().map(|row| price(row, &sources)).collect()
}

fn price(row: PriceRow, sources: &HashMap<String, String>) -> Result<Price> {
    let source = sources.get(&row.source).cloned();
    Ok(Price {
        tier: PricingTier::from_words(&row.tier, row.payment).map_err(|error| broken("prices", &error))?,
        source: source
            .ok_or_else(|| Error::Conflict(format!("the prices name an unknown source `{}`", row.source)))?,
        instance_type: row.instance_type,
        region: row.region,
        currency: row.currency,
        price: Observed::Value(HourlyPrice { per_hour: row.per_hour, upfront: row.upfront }),
        as_of: row.as_of.and_time(NaiveTime::MIN).and_utc(),
    })
}

fn read<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<Vec<T>> {
    let rows: std::result::Result<Vec<T>, csv::Error> =
        csv::Reader::from_reader(bytes).deserialize().collect();
    rows.map_err(|error| broken(what, &error))
}

fn broken(what: &str, error: &dyn std::error::Error) -> Error {
    Error::Conflict(format!("the {what} of this release cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use accelbench_core::instance::InstanceType;
    use accelbench_core::model::Model;

    use accelbench_core::dataset::{Dataset, STANDARD};

    use super::{INSTANCES, MODELS, read, read_prices};

    #[test]
    fn the_release_can_be_read() {
        let models: Vec<Model> = read("models", MODELS).unwrap();
        let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
        assert!(models.len() >= 200 && instances.len() >= 60);
        assert!(Dataset::parse(STANDARD).unwrap().len() >= 300);
    }

    #[test]
    fn every_price_is_above_zero_and_of_an_instance_type_of_ours() {
        let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
        let prices = read_prices().unwrap();
        assert!(prices.len() > 4000, "{}", prices.len());
        for price in &prices {
            assert!(
                price.price.value().is_some_and(|it| it.per_hour > 0.0 && it.upfront >= 0.0),
                "{price:?}"
            );
            assert!(instances.iter().any(|known| known.instance_type == price.instance_type), "{price:?}");
        }
    }

    #[test]
    fn accelerators_are_named_and_counted_rightly_where_public_tables_err() {
        let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
        for (name, accelerator, count) in [
            ("inf2.48xlarge", "Inferentia2", 12),
            ("trn1.32xlarge", "Trainium", 16),
            ("trn2.48xlarge", "Trainium2", 16),
            ("p5e.48xlarge", "H200", 8),
            ("g6e.12xlarge", "L40S", 4),
        ] {
            let found = instances.iter().find(|instance| instance.instance_type.as_str() == name).unwrap();
            assert_eq!(
                (found.accelerator_name.as_deref(), found.accelerator_count),
                (Some(accelerator), Some(count))
            );
        }
    }
}
