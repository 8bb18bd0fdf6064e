//! The reference data that comes with a release. Rows are replaced by newer facts; nothing is removed, because results
//! refer to it.

use accelbench_core::dataset::{self, DatasetName};
use accelbench_core::instance::InstanceType;
use accelbench_core::model::Model;
use serde::de::DeserializeOwned;
use sqlx::PgPool;

use crate::{Error, Result, datasets, instances, models};

const MODELS: &[u8] = include_bytes!("../seed/models.csv");
const INSTANCES: &[u8] = include_bytes!("../seed/instances.csv");
const STANDARD_DATASET: &[u8] = include_bytes!("../../datasets/standard-v1.jsonl");

/// How much comes with this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    /// Models.
    pub models: usize,
    /// Instance types.
    pub instance_types: usize,
    /// Datasets.
    pub datasets: usize,
}

/// Writes the reference data; doing so again changes nothing.
///
/// # Errors
/// [`Error::Database`]; [`Error::Conflict`] when the release itself is broken.
pub async fn seed(pool: &PgPool) -> Result<Seeded> {
    let models: Vec<Model> = read("models", MODELS)?;
    let instances: Vec<InstanceType> = read("instance types", INSTANCES)?;
    let prompts = dataset::parse(STANDARD_DATASET).map_err(|error| broken("standard dataset", &error))?;
    let mut transaction = pool.begin().await?;
    // Replicas that start together take turns.
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('accelbench seed', 0))")
        .execute(&mut *transaction)
        .await?;
    for model in &models {
        models::add(&mut transaction, model).await?;
    }
    for instance in &instances {
        instances::upsert(&mut transaction, instance).await?;
    }
    datasets::put(&mut transaction, &DatasetName::standard(), STANDARD_DATASET, prompts.len(), None).await?;
    transaction.commit().await?;
    Ok(Seeded { models: models.len(), instance_types: instances.len(), datasets: 1 })
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
    use accelbench_core::dataset;
    use accelbench_core::instance::InstanceType;
    use accelbench_core::model::Model;

    use super::{INSTANCES, MODELS, STANDARD_DATASET, read};

    #[test]
    fn the_release_can_be_read() {
        let models: Vec<Model> = read("models", MODELS).unwrap();
        let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
        assert!(models.len() >= 200 && instances.len() >= 60);
        assert!(dataset::parse(STANDARD_DATASET).unwrap().len() >= 300);
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
