//! A whole installation for one test: a database of its own, the built program as server and workers, and a folder for
//! local processes. Dropping it ends every process that it or its runs started.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use accelbench_core::engine::EngineName;
use accelbench_store::engines;
use accelbench_store::secrets::SecretKey;
use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::database::TestDatabase;

mod asking;
mod processes;

use processes::Server;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(4);

/// A server with as many workers as a test starts.
pub struct Installation {
    /// The database, for looking behind the scenes.
    pub database: TestDatabase,
    /// Root of the server's address.
    pub url: String,
    secret_key: SecretKey,
    /// Where server and workers reach the database.
    database_url: String,
    folder: TempDir,
    servers: Vec<Server>,
    workers: Vec<Child>,
    http: reqwest::Client,
}

impl Installation {
    /// Starts a server on a new database with the reference data; no worker yet.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let database = TestDatabase::create().await?;
        let url = database.url.clone();
        Self::start_on(database, url).await
    }

    /// Starts a server that asks the Hugging Face Hub at this address; all others ask none.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_with_hub(hub_url: &str) -> anyhow::Result<Self> {
        let database = TestDatabase::create().await?;
        let url = database.url.clone();
        Self::start_serving(database, url, &["--hub-url", hub_url]).await
    }

    /// Starts a server that reaches `database` by `database_url`, for instance through something that can be cut.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_on(database: TestDatabase, database_url: String) -> anyhow::Result<Self> {
        Self::start_serving(database, database_url, &["--offline"]).await
    }

    /// Starts a server with more arguments than others have.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_with_arguments(
        database: TestDatabase,
        database_url: String,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        Self::start_serving(database, database_url, &[&["--offline"], arguments].concat()).await
    }

    async fn start_serving(
        database: TestDatabase,
        database_url: String,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        accelbench_store::seed::seed(&database.pool).await?;
        let mut installation = Self {
            database,
            url: String::new(),
            secret_key: SecretKey::generate(),
            database_url,
            folder: tempfile::tempdir()?,
            servers: Vec::new(),
            workers: Vec::new(),
            http: reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build()?,
        };
        installation.url = installation.start_server(arguments)?;
        installation
            .until("the server is ready", async || Ok(installation.get("/readyz").await.is_ok()))
            .await?;
        Ok(installation)
    }

    /// Where workers keep what local runs write.
    #[must_use]
    pub fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
    }

    /// Offers the simulator as a worker would, so that runs can be submitted before any worker starts.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn offer_simulator(&self) -> anyhow::Result<()> {
        let command = ["accelbench".to_owned(), "simulate".to_owned()];
        let mut connection = self.database.pool.acquire().await?;
        Ok(engines::offer(&mut connection, &EngineName::simulator(), &command).await?)
    }

    /// All that server and workers have logged.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn logs(&self) -> anyhow::Result<String> {
        let mut logs = String::new();
        for name in ["server.log", "worker.log"] {
            logs +=
                &fs::read_to_string(self.folder.path().join(name)).or_else(|error| match error.kind() {
                    ErrorKind::NotFound => Ok(String::new()),
                    _ => Err(error),
                })?;
        }
        Ok(logs)
    }

    /// The folders that runs have on this machine now.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn run_folders(&self) -> anyhow::Result<Vec<String>> {
        let folders = fs::read_dir(self.state_folder().join("runs"))?;
        folders.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// The path of the built program, for engine commands.
    ///
    /// # Errors
    /// When it was not built.
    pub fn program() -> anyhow::Result<PathBuf> {
        let exe = std::env::current_exe()?;
        let found = exe
            .ancestors()
            .skip(1)
            .take(3)
            .map(|folder| folder.join("accelbench"))
            .find(|path| path.is_file());
        found.context("the program is not built; build it with `cargo build --workspace --bins`")
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn until(
        &self,
        what: &str,
        condition: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        while !condition().await? {
            if Instant::now() > until {
                bail!("waited in vain for: {what}; the logs:\n{}", self.logs().unwrap_or_default());
            }
            tokio::time::sleep(pause).await;
            // What takes long is not hurried by those who ask, and many ask at once.
            pause = pause.mul_f64(1.2).min(Duration::from_millis(200));
        }
        Ok(())
    }
}

/// A short request for two load points on a local engine.
#[must_use]
pub fn request(engine: &str) -> Value {
    json!({
        "model": "meta-llama/Llama-3.1-8B",
        "instance_type": if engine == "simulator" { "g6e.xlarge" } else { "local" },
        "platform": {"kind": "local", "engine": engine},
        "workload": {"lengths": {"kind": "fixed", "input_tokens": 16, "output_tokens": 8}},
        "load_points": [{"concurrency": 1}, {"concurrency": 2}],
        "measurement": {"min_duration_s": 1.0, "min_requests": 5, "max_duration_s": 30.0},
    })
}

impl Drop for Installation {
    fn drop(&mut self) {
        let servers = self.servers.iter_mut().map(|server| &mut server.child);
        for child in self.workers.iter_mut().chain(servers) {
            // Whatever has ended already is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
        for pid in self.run_processes().unwrap_or_default() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
