//! One private cluster from a data directory to a connection URL: made when new, taken over when its last owner
//! died, served until stopped.

mod initialise;

use std::fmt;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::sleep;

use crate::account::Account;
use crate::data_directory::{DataDirectory, cluster_directory, cluster_version};
use crate::server::{STOP_LIMIT, Server};
use crate::{Error, Installation, Postmaster, postmaster};

/// The name of the database that each cluster holds, and of the account that owns it.
pub const DATABASE: &str = "accelbench";

/// How often a start is tried when it fails for a passing reason.
const START_ATTEMPTS: u32 = 20;

/// The pause between two attempts to start.
const START_PAUSE: Duration = Duration::from_millis(250);

/// How a cluster is to be run.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Where everything is kept; created when missing.
    pub data_directory: PathBuf,
    /// The port on 127.0.0.1; none takes a free one at each start.
    pub port: Option<u16>,
    /// What a crash of the machine may cost.
    pub durability: Durability,
    /// How many connections the server admits.
    pub max_connections: u16,
}

impl ClusterOptions {
    /// A durable cluster on a free port with 100 connections.
    pub fn new(data_directory: impl Into<PathBuf>) -> Self {
        Self {
            data_directory: data_directory.into(),
            port: None,
            durability: Durability::Full,
            max_connections: 100,
        }
    }
}

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Full,
    /// The whole cluster: for tests, whose data nobody misses and which run faster so.
    None,
}

/// A running server and the right to its data directory. Call [`Cluster::stop`] when done; a value that is
/// dropped instead tells the server to stop and does not wait for it.
pub struct Cluster {
    server: Server,
    password: String,
    /// Declared last: the lock is given up after the server was told to stop.
    directory: DataDirectory,
}

impl Cluster {
    /// Makes the cluster when the directory holds none, starts its server and waits until it accepts connections.
    /// A server that was left behind by an owner that died is stopped first.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`] when a living process owns the directory; see the other variants of [`Error`].
    pub async fn start(installation: &Installation, options: &ClusterOptions) -> Result<Self, Error> {
        let account = Account::choose_for(&cluster_directory(&options.data_directory))?;
        let directory = DataDirectory::open(&options.data_directory, &account)?;
        initialise::ensure(installation, &directory, &account, options.durability).await?;
        check_version(installation, &directory)?;
        let password = directory.password()?;
        let server = launch(installation, &directory, &account, options).await?;
        tracing::info!(
            pid = server.pid(),
            port = server.port(),
            postgres.version = installation.major_version(),
            data_directory = %directory.path().display(),
            "PostgreSQL accepts connections"
        );
        Ok(Self { server, password, directory })
    }

    /// The URL of the database [`DATABASE`], with the password in it: keep it out of logs.
    #[must_use]
    pub fn database_url(&self) -> String {
        let Self { server, password, .. } = self;
        format!("postgres://{DATABASE}:{password}@127.0.0.1:{}/{DATABASE}", server.port())
    }

    /// The server's process and port.
    #[must_use]
    pub fn postmaster(&self) -> Postmaster {
        Postmaster { pid: self.server.pid(), port: self.server.port() }
    }

    /// Where the server writes its log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.directory.log_file()
    }

    /// Waits until the server ends by itself, which a healthy one never does. May be cancelled and called again.
    ///
    /// # Errors
    /// [`Error::Io`] when the process cannot be waited for.
    pub async fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.server.wait().await
    }

    /// Stops the server: open transactions are rolled back (fast shutdown); after a time limit without a
    /// checkpoint, which the next start makes up for (immediate shutdown).
    ///
    /// # Errors
    /// [`Error::NotStopped`] when the server outlives both limits.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.server.stop().await
    }
}

/// Without the password.
impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("directory", &self.directory)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Stops the server that an owner which died has left behind in a data directory, and says which it was.
///
/// # Errors
/// [`Error::AlreadyRunning`] when its owner lives.
pub async fn stop_orphan(data_directory: &Path) -> Result<Option<Postmaster>, Error> {
    if !data_directory.is_dir() {
        return Ok(None);
    }
    let account = Account::choose_for(&cluster_directory(data_directory))?;
    let directory = DataDirectory::open(data_directory, &account)?;
    stop_postmaster(directory.path()).await
}

/// Only for the holder of the lock: whatever runs there has no owner any more.
async fn stop_postmaster(data_directory: &Path) -> Result<Option<Postmaster>, Error> {
    let orphan = Postmaster::find(data_directory);
    if let Some(orphan) = orphan {
        tracing::warn!(pid = orphan.pid, port = orphan.port, "stopping a PostgreSQL whose owner died");
        orphan.stop(STOP_LIMIT).await?;
    }
    Ok(orphan)
}

fn check_version(installation: &Installation, directory: &DataDirectory) -> Result<(), Error> {
    match cluster_version(directory.path()) {
        Some(cluster) if cluster != installation.major_version() => Err(Error::VersionMismatch {
            data_directory: directory.path().to_owned(),
            cluster,
            installation: installation.major_version(),
        }),
        _ => Ok(()),
    }
}

/// Clears the way and starts the server, again when what still stood in its way goes away by itself.
async fn launch(
    installation: &Installation,
    directory: &DataDirectory,
    account: &Account,
    options: &ClusterOptions,
) -> Result<Server, Error> {
    let mut attempt = 1;
    loop {
        stop_postmaster(directory.path()).await?;
        postmaster::remove_misleading_pid_file(&directory.cluster())?;
        let port = options.port.map_or_else(free_port, Ok)?;
        match Server::launch(installation, directory, account, options, port).await {
            Err(Error::StoppedWhileStarting { log, .. })
                if attempt < START_ATTEMPTS && is_passing(&log, options) =>
            {
                tracing::debug!(attempt, log, "PostgreSQL did not start yet");
                attempt += 1;
                sleep(START_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// The children of a killed server hold its shared memory for another moment; one that was just being started
/// when its owner died appears late; a port that was free a moment ago may be gone, and the next one is not.
fn is_passing(log: &str, options: &ClusterOptions) -> bool {
    log.contains("is still in use")
        || log.contains("\"postmaster.pid\" already exists")
        || options.port.is_none() && log.contains("Address already in use")
}

fn free_port() -> Result<u16, Error> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("find a free port on", "127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_repeated_only_when_its_obstacle_passes() {
        let any_port = ClusterOptions::new("/data");
        let fixed_port = ClusterOptions { port: Some(5432), ..any_port.clone() };
        let taken = "LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use";
        let memory = "FATAL:  pre-existing shared memory block (key 7, ID 0) is still in use";
        assert!(is_passing(taken, &any_port));
        assert!(!is_passing(taken, &fixed_port));
        assert!(is_passing(memory, &fixed_port));
        assert!(!is_passing("FATAL:  invalid value for parameter", &any_port));
    }
}
