//! Finding the shared server, or having it started: the state directory and the protocol with `test-postgres`.
//!
//! The guard holds `guard.lock` while it lives and publishes `url` while the server may be used. A client that
//! got [`STAY_LOCK`] in shared mode keeps the server for as long as it stays connected; the guard stops the server
//! only with that lock in exclusive mode, so a client is either kept waiting and then cut off, or safe.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use nix::unistd::geteuid;
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::with_database;

/// The database for statements about databases, and the one that advisory locks are taken in.
pub const ADMIN_DATABASE: &str = "postgres";

/// The key of the advisory lock by which clients keep the server.
pub const STAY_LOCK: i64 = 0x0061_6363_656c_6265;

/// How long a test waits for the server.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How long one attempt to connect may take; a server that is about to stop lets clients wait.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The pause between two guards that a test starts: one ends at once while an older one still winds up.
const GUARD_PAUSE: Duration = Duration::from_millis(300);

/// The pause between two looks at the state directory.
const POLL: Duration = Duration::from_millis(25);

/// How long the server stays without clients unless told otherwise.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// The server that tests make their databases on.
#[derive(Debug, Clone)]
pub enum SharedServer {
    /// One that the user runs and names by its URL.
    External(String),
    /// One that `test-postgres` runs in a state directory until it was idle for the given time.
    Guarded(StateDirectory, Duration),
}

impl SharedServer {
    /// The server of `ACCELBENCH_TEST_DATABASE_URL`, or else the guarded one in the default state directory.
    ///
    /// # Errors
    /// When the state directory cannot be made or is not ours.
    pub fn from_environment() -> anyhow::Result<Self> {
        match env::var("ACCELBENCH_TEST_DATABASE_URL") {
            Ok(url) if !url.is_empty() => Ok(Self::External(url)),
            _ => Ok(Self::Guarded(StateDirectory::open(&StateDirectory::default_path()?)?, IDLE_LIMIT)),
        }
    }

    /// The server's URL and a connection to its [`ADMIN_DATABASE`] that keeps it running until it is closed.
    ///
    /// # Errors
    /// When the server cannot be reached, or started within 60 s.
    pub async fn connect(&self) -> anyhow::Result<(String, PgConnection)> {
        match self {
            Self::External(url) => {
                let connection = connect(url).await.context("ACCELBENCH_TEST_DATABASE_URL cannot be used")?;
                Ok((url.clone(), connection))
            }
            Self::Guarded(directory, idle_limit) => connect_or_start(directory, *idle_limit).await,
        }
    }
}

async fn connect_or_start(
    directory: &StateDirectory,
    idle_limit: Duration,
) -> anyhow::Result<(String, PgConnection)> {
    let deadline = Instant::now() + START_LIMIT;
    let mut guard: Option<Child> = None;
    let mut next_guard = Instant::now();
    loop {
        let failure = match directory.published_url() {
            Some(url) => match connect(&url).await {
                Ok(connection) => return Ok((url, connection)),
                Err(error) => error.to_string(),
            },
            None => "it did not publish its URL".to_owned(),
        };
        if let Some(child) = &mut guard
            && let Some(status) = child.try_wait()?
        {
            ensure!(status.success(), "test-postgres failed:\n{}", directory.log());
            guard = None;
        }
        if guard.is_none() && Instant::now() >= next_guard {
            guard = Some(directory.spawn_guard(idle_limit)?);
            next_guard = Instant::now() + GUARD_PAUSE;
        }
        if Instant::now() >= deadline {
            bail!("no test server within {} s: {failure}\n{}", START_LIMIT.as_secs(), directory.log());
        }
        sleep(POLL).await;
    }
}

async fn connect(server_url: &str) -> anyhow::Result<PgConnection> {
    let url = with_database(server_url, ADMIN_DATABASE)?;
    let connecting = async {
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::query("SELECT pg_advisory_lock_shared($1)").bind(STAY_LOCK).execute(&mut connection).await?;
        Ok(connection)
    };
    timeout(CONNECT_LIMIT, connecting).await.context("the server does not answer")?
}

/// Where the guard and its clients meet.
#[derive(Debug, Clone)]
pub struct StateDirectory(PathBuf);

impl StateDirectory {
    /// `$XDG_CACHE_HOME/accelbench/test-postgres`; for root, whose home the server's account cannot enter,
    /// `/var/tmp/accelbench-test-postgres`.
    ///
    /// # Errors
    /// When the home directory is unknown.
    pub fn default_path() -> anyhow::Result<PathBuf> {
        if geteuid().is_root() {
            return Ok(PathBuf::from("/var/tmp/accelbench-test-postgres"));
        }
        let cache = match env::var_os("XDG_CACHE_HOME") {
            Some(cache) if !cache.is_empty() => PathBuf::from(cache),
            _ => env::home_dir().context("the home directory is unknown, set HOME")?.join(".cache"),
        };
        Ok(cache.join("accelbench/test-postgres"))
    }

    /// Creates the directory where missing.
    ///
    /// # Errors
    /// When it cannot be made, or belongs to somebody else, who could then read and replace what is in it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        let metadata = path.symlink_metadata()?;
        ensure!(
            metadata.is_dir() && metadata.uid() == geteuid().as_raw(),
            "{} belongs to somebody else; remove it",
            path.display()
        );
        Ok(Self(path.to_owned()))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The data directory of the server.
    #[must_use]
    pub fn data_directory(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Makes the caller the guard for as long as it keeps the file; none while there is another.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_guard(&self) -> anyhow::Result<Option<File>> {
        let file = self.open_lock()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Empties the guard's log, so that it tells of the present guard alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn clear_log(&self) -> anyhow::Result<()> {
        fs::write(self.log_file(), "").context("cannot empty the log")
    }

    /// Tells the clients where the server is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish(&self, url: &str) -> anyhow::Result<()> {
        let unfinished = self.0.join("url.unfinished");
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&unfinished)?;
        file.write_all(url.as_bytes())?;
        fs::rename(unfinished, self.0.join("url")).context("cannot publish the URL")
    }

    /// Takes the URL back; one that is not there is fine.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn withdraw(&self) -> anyhow::Result<()> {
        match fs::remove_file(self.0.join("url")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("cannot withdraw the URL")
            }
            _ => Ok(()),
        }
    }

    /// The URL, unless its guard is gone: that server would never stop, and the next guard replaces it.
    #[must_use]
    pub fn published_url(&self) -> Option<String> {
        let url = fs::read_to_string(self.0.join("url")).ok()?;
        let guard_lives = matches!(self.open_lock().ok()?.try_lock_shared(), Err(TryLockError::WouldBlock));
        guard_lives.then_some(url)
    }

    /// Starts `test-postgres` so that neither the end of the test nor Ctrl-C in its terminal ends it.
    fn spawn_guard(&self, idle_limit: Duration) -> anyhow::Result<Child> {
        let program = guard_program()?;
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        Command::new(&program)
            .arg(&self.0)
            .arg(idle_limit.as_millis().to_string())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))
    }

    fn open_lock(&self) -> anyhow::Result<File> {
        let path = self.0.join("guard.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        file.with_context(|| format!("cannot open {}", path.display()))
    }

    fn log_file(&self) -> PathBuf {
        self.0.join("guard.log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

/// Cargo puts the program beside the tests' directory; it builds it before it builds the tests of this crate.
fn guard_program() -> anyhow::Result<PathBuf> {
    let own = env::current_exe()?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join("test-postgres"))
        .find(|program| program.is_file())
        .context("test-postgres is not built: run `cargo build -p accelbench-tests --bin test-postgres`")
}
