//! Data directories that every account can reach, a look into the database, and owners that can be killed.

use std::env;
use std::fs::{self, Permissions};
use std::future::pending;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Durability, Installation, Postmaster};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};
use tempfile::TempDir;
use tokio::time::sleep;

/// Tells [`owner_process`] which directory to own.
const OWNED_DIRECTORY: &str = "ACCELBENCH_OWNED_DIRECTORY";

/// An empty data directory; no server survives it.
pub(crate) struct DataDirectory(TempDir);

impl DataDirectory {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("it is ours");
        Self(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn options(&self) -> ClusterOptions {
        ClusterOptions { durability: Durability::None, ..ClusterOptions::new(self.path()) }
    }

    pub(crate) fn unfinished_clusters(&self) -> usize {
        let entries = fs::read_dir(self.path()).expect("it is there").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("cluster.unfinished")).count()
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if let Some(server) = Postmaster::find(self.path()) {
            let _ = kill(Pid::from_raw(server.pid), Signal::SIGQUIT);
        }
    }
}

pub(crate) fn installation() -> Installation {
    Installation::find().expect("the tests need PostgreSQL on this machine")
}

/// A started cluster with nothing but defaults and no durability.
pub(crate) async fn start(directory: &DataDirectory) -> Cluster {
    Cluster::start(&installation(), &directory.options()).await.expect("the cluster starts")
}

/// What `psql` prints for a statement, or what it complains about.
pub(crate) fn sql(url: &str, statement: &str) -> Result<String, String> {
    let output = Command::new(installation().bin_directory().join("psql"))
        .args([url, "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--command", statement])
        .output()
        .expect("psql lies beside the server");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Whether the process is there and not merely waiting to be collected by its parent.
pub(crate) fn is_running(pid: i32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid), None).is_ok() && !state.contains(") Z ")
}

/// A process of its own that owns a cluster and can be killed without warning.
pub(crate) struct Owner(Child);

impl Owner {
    pub(crate) fn spawn(directory: &DataDirectory, user: Option<&User>) -> Self {
        let mut command = Command::new(env::current_exe().expect("a test knows its program"));
        command
            .args(["--exact", "fixture::owner_process", "--ignored"])
            .env(OWNED_DIRECTORY, directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(user) = user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Self(command.spawn().expect("the test's own program starts"))
    }

    /// Until the server accepts connections; panics when the owner fails instead.
    pub(crate) async fn wait_for_server(&mut self, directory: &DataDirectory) -> Postmaster {
        loop {
            let pid_file =
                fs::read_to_string(directory.path().join("cluster/postmaster.pid")).unwrap_or_default();
            if pid_file.contains("\nready") {
                return Postmaster::find(directory.path()).expect("a ready server runs");
            }
            assert!(
                self.0.try_wait().expect("it is our child").is_none(),
                "the owner ended before its server was ready"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGKILL, and gone.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("it is our child");
        self.0.wait().expect("it is our child");
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "not a test: the other tests run it as a process of its own and kill it"]
async fn owner_process() {
    let directory = env::var_os(OWNED_DIRECTORY).expect("the directory is named");
    let options = ClusterOptions { durability: Durability::None, ..ClusterOptions::new(directory) };
    let _cluster = Cluster::start(&installation(), &options).await.expect("the cluster starts");
    pending::<()>().await;
}
