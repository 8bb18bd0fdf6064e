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

use crate::{Error, Result, catalog_targets, datasets, imported, instances, models, prices};

mod published;
mod targets;

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
    /// Requests that keep the catalog fresh.
    pub catalog_targets: usize,
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
    let targets = targets::specs(&models, &instances)?;
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
    catalog_targets::release(&mut transaction, &targets).await?;
    imported::withdraw_others(&mut transaction, &published).await?;
    imported::record(&mut transaction, &published, None).await?;
    transaction.commit().await?;
    Ok(Seeded {
        models: models.len(),
        instance_types: instances.len(),
        datasets: 1,
        prices: prices.len(),
        imported_results: published.len(),
        catalog_targets: targets.len(),
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
    use accelbench_core::model::{Model, Quantization};

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

    fn instance(name: &str) -> InstanceType {
        let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
        instances.into_iter().find(|instance| instance.instance_type.as_str() == name).expect(name)
    }

    /// Where public tables err: sizes of one GPU between those of many, chips of Neuron for cores, and memories of the
    /// generation before.
    #[test]
    fn accelerators_are_named_counted_and_measured_rightly_where_public_tables_err() {
        for (name, accelerator, count, memory_gib) in [
            ("g5.16xlarge", "A10G", 1, 22.352),
            ("g5.24xlarge", "A10G", 4, 22.352),
            ("g6.16xlarge", "L4", 1, 22.352),
            ("gr6.8xlarge", "L4", 1, 22.352),
            ("g6e.12xlarge", "L40S", 4, 44.703),
            ("g6e.16xlarge", "L40S", 1, 44.703),
            ("p4d.24xlarge", "A100", 8, 40.0),
            ("p4de.24xlarge", "A100", 8, 80.0),
            ("p5.4xlarge", "H100", 1, 80.0),
            ("p5e.48xlarge", "H200", 8, 141.0),
            ("p5en.48xlarge", "H200", 8, 141.0),
            ("inf2.8xlarge", "Inferentia2", 1, 32.0),
            ("inf2.24xlarge", "Inferentia2", 6, 32.0),
            ("inf2.48xlarge", "Inferentia2", 12, 32.0),
            ("trn1.2xlarge", "Trainium", 1, 32.0),
            ("trn1n.32xlarge", "Trainium", 16, 32.0),
            // The EC2 API says 512 GiB of each chip, another table 64 chips.
            ("trn2.48xlarge", "Trainium2", 16, 96.0),
            ("trn2.3xlarge", "Trainium2", 1, 96.0),
        ] {
            let found = instance(name);
            let facts = (found.accelerator_name.as_deref(), found.accelerator_count);
            assert_eq!(facts, (Some(accelerator), Some(count)), "{name}");
            let memory = found.accelerator_memory_gib.unwrap();
            assert!((memory - memory_gib).abs() < 1.0, "{name}: {memory} GiB");
        }
    }

    #[test]
    fn every_size_of_every_family_is_there() {
        let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
        let sizes = |family: &str| instances.iter().filter(|instance| instance.family == family).count();
        for (family, count) in [
            ("g5", 8),
            ("g6", 8),
            ("g6e", 8),
            ("p4d", 1),
            ("p4de", 1),
            ("p5", 2),
            ("p5e", 1),
            ("p5en", 1),
            ("p6-b200", 1),
            ("p6-b300", 1),
            ("inf2", 4),
            ("trn1", 2),
            ("trn1n", 1),
            ("trn2", 2),
            ("trn2u", 1),
        ] {
            assert_eq!(sizes(family), count, "{family}");
        }
    }

    #[test]
    fn a_fraction_of_an_accelerator_has_no_rate_of_a_whole_one() {
        for name in ["g6f.large", "g6f.4xlarge", "gr6f.4xlarge"] {
            let found = instance(name);
            assert!(found.accelerator_memory_gib.unwrap() < 12.0, "{name}");
            assert_eq!((found.accelerator_bandwidth_gb_per_s, found.accelerator_bf16_tflops), (None, None));
        }
    }

    #[test]
    fn what_was_wrong_in_the_collected_facts_is_right() {
        let models: Vec<Model> = read("models", MODELS).unwrap();
        let model = |name: &str| models.iter().find(|model| model.model.as_str() == name).expect(name);
        for (name, family) in [
            ("google/gemma-2b", "gemma"),
            ("google/gemma-2b-it", "gemma"),
            ("google/gemma-2-2b-it", "gemma-2"),
            ("codellama/CodeLlama-34b-Instruct-hf", "codellama"),
            ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek"),
            ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", "nemotron"),
        ] {
            assert_eq!(model(name).family.as_deref(), Some(family), "{name}");
        }
        // Of its family the smallest alone is not made for 131,072 tokens.
        assert_eq!(model("google/gemma-3-1b-it").max_context_tokens, Some(32_768));
        let deepseek = model("deepseek-ai/DeepSeek-V3");
        assert_eq!((deepseek.kv_heads, deepseek.published_quantization), (Some(1), Some(Quantization::Fp8)));
        assert_eq!((deepseek.expert_count, deepseek.experts_per_token), (Some(256), Some(8)));
    }
}
