//! A private database with a synthetic catalog in it.

use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};

use accelbench_core::load::{LoadReport, examples};
use accelbench_embedded_postgres::{Cluster, ClusterOptions, Durability, Installation};
use accelbench_store::{PgPool, connect, migrate, seed};
use anyhow::Context as _;
use sqlx::Executor as _;
use tempfile::TempDir;

use super::CatalogOptions;

/// Load points of each run of `generate.sql`.
const LOAD_POINTS: u64 = 20;

/// The database while it runs.
pub(super) struct Population {
    pub(super) url: String,
    pub(super) pool: PgPool,
    pub(super) log_file: PathBuf,
    pub(super) bin_directory: PathBuf,
    cluster: Cluster,
    /// Removed at the end, unless the directory is the user's.
    _temporary: Option<TempDir>,
}

impl Population {
    /// Starts the database and fills it where it is empty.
    pub(super) async fn prepare(options: &CatalogOptions) -> anyhow::Result<Self> {
        let temporary = match options.data_directory {
            Some(_) => None,
            None => Some(tempfile::tempdir()?),
        };
        let directory = temporary.as_ref().map(TempDir::path).or(options.data_directory.as_deref());
        let directory = directory.context("there is no place for the database")?.to_owned();
        let population = Self::start(&directory, temporary).await?;
        migrate(&population.pool).await?;
        let filled: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM results)").fetch_one(&population.pool).await?;
        if !filled {
            seed::seed(&population.pool).await?;
            population.fill(options).await?;
        }
        Ok(population)
    }

    async fn start(directory: &Path, temporary: Option<TempDir>) -> anyhow::Result<Self> {
        let installation = Installation::find_for(directory)?;
        let mut options = ClusterOptions::new(directory.join("postgres"));
        options.durability = Durability::None;
        let cluster = Cluster::start(&installation, &options).await?;
        let url = cluster.database_url();
        Ok(Self {
            pool: connect(&url, 4).await?,
            url,
            log_file: cluster.log_file(),
            bin_directory: installation.bin_directory().to_owned(),
            cluster,
            _temporary: temporary,
        })
    }

    async fn fill(&self, options: &CatalogOptions) -> anyhow::Result<()> {
        let configurations = (options.results / LOAD_POINTS / options.repeats).max(1);
        writeln!(
            stderr(),
            "making {configurations} configurations, each measured {} times",
            options.repeats
        )?;
        let mut connection = self.pool.acquire().await?;
        for (setting, value) in [
            ("configurations", configurations.to_string()),
            ("repeats", options.repeats.to_string()),
            ("report", serde_json::to_string(&report())?),
        ] {
            let name = format!("synthetic.{setting}");
            sqlx::query("SELECT set_config($1, $2, false)")
                .bind(name)
                .bind(value)
                .execute(&mut *connection)
                .await?;
        }
        connection.execute(include_str!("../../queries/generate.sql")).await?;
        connection.close_on_drop();
        self.pool.execute(include_str!("../../queries/live.sql")).await?;
        self.pool.execute("VACUUM ANALYZE").await?;
        Ok(())
    }

    /// How much there is, in one line.
    pub(super) async fn summary(&self) -> anyhow::Result<String> {
        let (results, runs, current, bytes): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM runs),
                 (SELECT count(*) FROM catalog_results), pg_database_size(current_database())",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(format!("{results} results of {runs} runs, {current} of them current; {} MiB", bytes / 1_048_576))
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.pool.close().await;
        Ok(self.cluster.stop().await?)
    }
}

/// A report without what is large and no list shows.
fn report() -> LoadReport {
    LoadReport { distributions: None, time_series: None, ..examples::report(&examples::plan(), 0) }
}
