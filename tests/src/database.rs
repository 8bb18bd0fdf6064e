//! A database of its own for each test, on one server that all tests share and that comes and goes by itself.
//!
//! Tests run in a process each, so nothing can live in theirs: the server belongs to the program
//! `test-postgres`, which the first test starts and which ends when no test has been connected for a while.

pub mod leftovers;
mod shared_server;
mod template;

use std::thread;

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};
use tokio::runtime;
use url::Url;
use uuid::Uuid;

pub use shared_server::{ADMIN_DATABASE, STAY_LOCK, SharedServer, StateDirectory};

/// How many connections the pool of one test may open.
const POOL_SIZE: u32 = 10;

/// A new database with the current schema, dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    /// The URL of the database, for processes that a test starts.
    pub url: String,
    /// Connections to the database.
    pub pool: PgPool,
    name: String,
    /// Keeps the shared server from stopping; none once the database was dropped.
    admin: Option<PgConnection>,
}

impl TestDatabase {
    /// Makes a database on the server of `ACCELBENCH_TEST_DATABASE_URL` or else on the shared server, which is
    /// started when it does not run.
    ///
    /// # Errors
    /// When the server cannot be started or reached, or a migration fails.
    pub async fn create() -> anyhow::Result<Self> {
        Self::create_on(&SharedServer::from_environment()?).await
    }

    /// Makes a database on this server.
    ///
    /// # Errors
    /// When the server cannot be started or reached, or a migration fails.
    pub async fn create_on(server: &SharedServer) -> anyhow::Result<Self> {
        let (server_url, mut admin) = server.connect().await?;
        let template = template::ensure(&mut admin, &server_url).await?;
        let name = format!("{}{}", leftovers::PREFIX, Uuid::now_v7().simple());
        execute(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;

        let url = with_database(&server_url, &name)?;
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new().max_connections(POOL_SIZE).connect_with(options).await?;
        Ok(Self { url, pool, name, admin: Some(admin) })
    }

    /// The database at `url`, on a server of the test's own, brought to the current schema. It is not dropped.
    ///
    /// # Errors
    /// When it cannot be reached, or a migration fails.
    pub async fn at(url: &str) -> anyhow::Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new().max_connections(POOL_SIZE).connect_with(options).await?;
        accelbench_store::migrate(&pool).await?;
        Ok(Self { url: url.to_owned(), pool, name: String::new(), admin: None })
    }

    /// Closes the pool and drops the database now, whoever is still connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn remove(mut self) -> anyhow::Result<()> {
        self.pool.close().await;
        if let Some(mut admin) = self.admin.take() {
            drop_database(&mut admin, &self.name).await?;
            admin.close().await?;
        }
        Ok(())
    }
}

impl Drop for TestDatabase {
    /// Best effort, in a thread with a runtime of its own: the test's runtime may be ending, and is not to be
    /// waited for from inside.
    fn drop(&mut self) {
        if self.admin.is_none() {
            return;
        }
        let (url, name) = (self.url.clone(), self.name.clone());
        let dropping = thread::spawn(move || -> anyhow::Result<()> {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&with_database(&url, ADMIN_DATABASE)?).await?;
                drop_database(&mut admin, &name).await
            })
        });
        // A database that stays is found by the guard's sweep.
        let _ = dropping.join();
    }
}

/// Drops a database of this harness together with its connections; one that is gone is fine.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn drop_database(admin: &mut PgConnection, name: &str) -> anyhow::Result<()> {
    execute(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}

/// Runs a statement that names a database, which cannot be a parameter; our names are letters, digits and `_`.
async fn execute(connection: &mut PgConnection, statement: String) -> anyhow::Result<()> {
    let shown = statement.clone();
    connection.execute(AssertSqlSafe(statement)).await.with_context(|| format!("{shown:?} failed"))?;
    Ok(())
}

/// The same server's URL with another database.
fn with_database(server_url: &str, database: &str) -> anyhow::Result<String> {
    let mut url = Url::parse(server_url).context("the URL of the test server is malformed")?;
    url.set_path(database);
    Ok(url.into())
}
