//! The system under chaos: a PostgreSQL server of its own behind a cable, two AccelBench servers, three workers, and where
//! this machine allows it a small disk and a clock that can be set.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Installation as Postgres};
use accelbench_store::{PgPool, capacity};
use anyhow::{Context as _, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::history::History;
use crate::database::{SharedServer, TestDatabase};
use crate::installation::Installation;
use crate::outage::Cable;

/// Runs that may be under way at once.
pub(super) const CAP: i32 = 2;

/// An engine that ends as soon as it is started.
const BROKEN: &str = "broken=sh -c 'echo no such weights; exit 3 # {port}'";

const WORKERS: usize = 3;

pub(super) struct System {
    /// Before the installation, whose folder it is mounted in: parts are dropped in this order.
    pub(super) disk: Option<Disk>,
    pub(super) installation: Installation,
    pub(super) cable: Cable,
    /// Addresses of the servers.
    pub(super) servers: Vec<String>,
    pub(super) clock: Option<Clock>,
    /// Kept from round to round: nothing in it may ever change.
    pub(super) history: History,
    workers: Vec<Pid>,
    left_out: Vec<String>,
    postgres: Postgres,
    options: ClusterOptions,
    cluster: Option<Cluster>,
    /// Of the database and the clock; goes last.
    _folder: TempDir,
}

impl System {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("accelbench-chaos-")?;
        let postgres = Postgres::find()?;
        let mut options = ClusterOptions::new(folder.path().join("postgres"));
        // It comes back at the same address.
        options.port = Some(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let cluster = Cluster::start(&postgres, &options).await?;
        let database = TestDatabase::create_on(&SharedServer::External(cluster.database_url())).await?;
        let (cable, through) = Cable::to(&database.url).await?;
        let history = History::of(&database.pool);
        let mut installation = Installation::start_on(database, through).await?;
        let servers = vec![installation.url.clone(), installation.start_server(&["--offline"])?];
        let mut left_out = Vec::new();
        let disk = or_left_out(Disk::mount(&installation.state_folder()), "disk full", &mut left_out);
        let clock = or_left_out(Clock::find(folder.path()), "clocks jumped", &mut left_out);
        let mut system = Self {
            installation,
            cable,
            servers,
            disk,
            clock,
            history,
            workers: Vec::new(),
            left_out,
            postgres,
            options,
            cluster: Some(cluster),
            _folder: folder,
        };
        for group in ["*", "local"] {
            capacity::set_limit(&mut *system.pool().acquire().await?, group, CAP).await?;
        }
        for _ in 0..WORKERS {
            system.start_worker()?;
        }
        Ok(system)
    }

    /// The database, without the cable.
    pub(super) fn pool(&self) -> &PgPool {
        &self.installation.database.pool
    }

    pub(super) fn workers(&self) -> &[Pid] {
        &self.workers
    }

    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn start_worker(&mut self) -> anyhow::Result<()> {
        let environment = self.clock.as_ref().map(Clock::environment).unwrap_or_default();
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let worker = self.installation.start_worker_in(&[BROKEN], &environment)?;
        self.workers.push(worker);
        Ok(())
    }

    pub(super) fn replace_worker(&mut self, worker: Pid) -> anyhow::Result<()> {
        self.installation.kill_worker(worker)?;
        self.workers.retain(|&other| other != worker);
        self.start_worker()
    }

    pub(super) async fn restart_database(&mut self) -> anyhow::Result<()> {
        if let Some(cluster) = self.cluster.take() {
            cluster.stop().await.context("the database did not stop")?;
        }
        self.cluster = Some(Cluster::start(&self.postgres, &self.options).await?);
        Ok(())
    }

    /// Kills a process that serves a connection: the server ends all others, and replays its log.
    pub(super) async fn crash_database(&self) {
        let served = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' \
                      AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1";
        // Without an answer it is down already.
        if let Ok(Some(pid)) = sqlx::query_scalar::<_, i32>(served).fetch_optional(self.pool()).await {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    /// Waits until database and servers answer again.
    pub(super) async fn recover(&self) -> anyhow::Result<()> {
        let until = Instant::now() + Duration::from_mins(2);
        for server in &self.servers {
            let ready = format!("{server}/readyz");
            while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
                ensure!(Instant::now() < until, "{server} is not ready again: {}", self.logs());
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// The end of what was logged.
    pub(super) fn logs(&self) -> String {
        let logs = self.installation.logs().unwrap_or_default();
        let lines: Vec<&str> = logs.lines().rev().take(60).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Writes all that was logged to where it stays.
    pub(super) fn keep(&self) -> PathBuf {
        let kept = std::env::temp_dir().join(format!("accelbench-chaos-{}.log", std::process::id()));
        // What cannot be kept is still in the report.
        let _ = fs::write(&kept, self.installation.logs().unwrap_or_default());
        kept
    }
}

fn or_left_out<T>(part: anyhow::Result<T>, fault: &str, left_out: &mut Vec<String>) -> Option<T> {
    part.map_err(|error| left_out.push(format!("{fault}: {error:#}"))).ok()
}

/// A disk that is small enough to be filled.
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    fn mount(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=32m", "tmpfs"]).arg(folder).output()?;
        let complaint = String::from_utf8_lossy(&mounted.stderr).trim().to_owned();
        ensure!(mounted.status.success(), "no small disk can be mounted: {complaint}");
        Ok(Self { folder: folder.to_owned() })
    }

    pub(super) fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.folder.join("full"))?;
        let block = vec![0_u8; 64 * 1024];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn empty(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.folder.join("full"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Processes may still have files open in it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}

/// The clock of the workers and all that they start, by libfaketime.
pub(super) struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let candidates = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .map(|machine| PathBuf::from("/usr/lib").join(machine).join("faketime/libfaketimeMT.so.1"));
        let library = candidates.into_iter().find(|path| path.is_file());
        let library =
            library.context("there is no libfaketime; install it with `apt-get install libfaketime`")?;
        let clock = Self { library, file: folder.join("clock") };
        clock.jump(0)?;
        Ok(clock)
    }

    /// From now on it is so many seconds later than it is; monotonic clocks go on as they are.
    pub(super) fn jump(&self, seconds: i64) -> anyhow::Result<()> {
        Ok(fs::write(&self.file, format!("{seconds:+}s\n"))?)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}
