//! The server process: started in a process group of its own, watched until ready, and stopped in steps.

mod log;

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::account::Account;
use crate::cluster::{ClusterOptions, Durability};
use crate::data_directory::DataDirectory;
use crate::postmaster::PidFile;
use crate::server::log::LogFile;
use crate::{Error, Installation};

pub(crate) use log::last_lines;

/// How long a server may take to end after each of the two signals.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How long a server may take until it accepts connections; recovery after a crash takes its time.
const START_LIMIT: Duration = Duration::from_mins(2);

/// How often a starting server is looked at.
const POLL: Duration = Duration::from_millis(10);

/// A child process that serves a cluster.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pid: i32,
    port: u16,
    log: LogFile,
}

impl Server {
    /// Starts the server and waits until it accepts connections.
    pub(crate) async fn launch(
        installation: &Installation,
        directory: &DataDirectory,
        account: &Account,
        options: &ClusterOptions,
        port: u16,
    ) -> Result<Self, Error> {
        let mut server = Self::spawn(installation, directory, account, options, port)?;
        let ready = timeout(START_LIMIT, server.become_ready(&directory.cluster())).await;
        match ready {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(error),
            Err(_elapsed) => {
                let log = server.log.tail();
                server.stop().await?;
                Err(Error::NotReady { limit_seconds: START_LIMIT.as_secs(), log })
            }
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) async fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.child.wait().await.map_err(Error::io("wait for", format!("process {}", self.pid)))
    }

    /// Fast shutdown, then immediate shutdown, each with its time limit.
    pub(crate) async fn stop(&mut self) -> Result<(), Error> {
        for signal in [Signal::SIGINT, Signal::SIGQUIT] {
            self.signal(signal);
            if let Ok(ended) = timeout(STOP_LIMIT, self.wait()).await {
                return ended.map(drop);
            }
            tracing::warn!(pid = self.pid, %signal, "PostgreSQL did not stop in time");
        }
        Err(Error::NotStopped { pid: self.pid, limit_seconds: 2 * STOP_LIMIT.as_secs() })
    }

    fn spawn(
        installation: &Installation,
        directory: &DataDirectory,
        account: &Account,
        options: &ClusterOptions,
        port: u16,
    ) -> Result<Self, Error> {
        let log = LogFile::open(directory.log_file())?;
        let (output, errors) = log.handles()?;
        let program = installation.program("postgres");
        let mut command = account.command(&program);
        command.arg("-D").arg(directory.cluster()).arg("-p").arg(port.to_string());
        for setting in settings(options) {
            command.arg("-c").arg(setting);
        }
        let child = Command::from(command)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C in a terminal must reach us alone: we still need the server to wind up with.
            .process_group(0)
            .spawn()
            .map_err(Error::io("run", program))?;
        let pid =
            child.id().and_then(|pid| i32::try_from(pid).ok()).expect("a new child has a process number");
        Ok(Self { child, pid, port, log })
    }

    /// Ends when the server says that it is ready and answers on its port, or has ended.
    async fn become_ready(&mut self, cluster: &Path) -> Result<(), Error> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(Error::io("wait for", "postgres"))? {
                return Err(Error::StoppedWhileStarting { status, log: self.log.tail() });
            }
            let said_ready = PidFile::read(cluster).is_some_and(|file| file.pid == self.pid && file.is_ready);
            if said_ready && TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return Ok(());
            }
            sleep(POLL).await;
        }
    }

    fn signal(&self, signal: Signal) {
        // A child that was waited for has no number any more, which might be another's by now.
        if self.child.id().is_some() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
    }
}

/// Settings on the command line, so that nothing in the cluster has to be kept in step with them.
fn settings(options: &ClusterOptions) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        format!("max_connections={}", options.max_connections),
        "logging_collector=off".to_owned(),
        "log_checkpoints=off".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    if options.durability == Durability::None {
        settings.extend(
            [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "wal_level=minimal",
                "max_wal_senders=0",
                // Creating and dropping databases waits for every process to look up. Those two sleep for a minute, and
                // one that has just started may miss the call: the first tests then waited for it.
                "autovacuum=off",
                "max_logical_replication_workers=0",
            ]
            .map(str::to_owned),
        );
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cluster_without_durability_gives_up_syncing() {
        let full = ClusterOptions::new("/data");
        let none = ClusterOptions { durability: Durability::None, ..full.clone() };
        assert!(!settings(&full).contains(&"fsync=off".to_owned()));
        assert!(settings(&none).contains(&"fsync=off".to_owned()));
    }
}
