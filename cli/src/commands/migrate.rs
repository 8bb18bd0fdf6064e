//! `accelbench migrate`: brings a database to this version's schema and reference data.

use accelbench_store::seed;
use clap::Args;

use crate::database::DatabaseOptions;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct MigrateOptions {
    #[command(flatten)]
    database: DatabaseOptions,
}

pub(crate) async fn migrate(options: MigrateOptions) -> anyhow::Result<()> {
    let pool = options.database.connect().await?;
    accelbench_store::migrate(&pool).await?;
    let seeded = seed::seed(&pool).await?;
    output::notice(&format!(
        "the database is up to date: {} models, {} instance types, {} prices, {} datasets and {} \
         published results come with this release",
        seeded.models, seeded.instance_types, seeded.prices, seeded.datasets, seeded.imported_results
    ));
    Ok(())
}
