//! `postmaster.pid`, the file by which a running server says where it is, and how to tell it from a stale one.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::Error;
use crate::data_directory::{cluster_directory, remove};

/// How often a process that is no child of ours is looked at while it ends.
const POLL: Duration = Duration::from_millis(20);

/// A PostgreSQL server that runs in a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Postmaster {
    /// The server's process.
    pub pid: i32,
    /// The port on 127.0.0.1 that it listens on.
    pub port: u16,
}

impl Postmaster {
    /// The live server of a data directory, whoever started it; none when there is none or its file is stale.
    #[must_use]
    pub fn find(data_directory: &Path) -> Option<Self> {
        // The server was started with the resolved path.
        let cluster = cluster_directory(&data_directory.canonicalize().ok()?);
        let PidFile { pid, port, .. } = PidFile::read(&cluster)?;
        serves(pid, &cluster).then_some(Self { pid, port })
    }

    /// Ends a server that is no child of ours: fast shutdown, then immediate shutdown after `limit`.
    pub(crate) async fn stop(self, limit: Duration) -> Result<(), Error> {
        for signal in [Signal::SIGINT, Signal::SIGQUIT] {
            // It may end by itself at any moment: a process that is gone is what we want.
            let _ = kill(Pid::from_raw(self.pid), signal);
            let rounds = limit.as_millis() / POLL.as_millis();
            for _ in 0..rounds {
                if !is_alive(self.pid) {
                    return Ok(());
                }
                sleep(POLL).await;
            }
        }
        Err(Error::NotStopped { pid: self.pid, limit_seconds: 2 * limit.as_secs() })
    }
}

/// The lines of `postmaster.pid` that matter here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) port: u16,
    /// The server's own word that it accepts connections.
    pub(crate) is_ready: bool,
}

impl PidFile {
    pub(crate) fn read(cluster: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(cluster.join("postmaster.pid")).ok()?)
    }

    /// Lines: pid, directory, start time, port, socket directory, address, shared memory, status.
    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: lines.first()?.parse().ok().filter(|pid| *pid > 0)?,
            port: lines.get(3)?.parse().ok()?,
            is_ready: lines.get(7).is_some_and(|status| *status == "ready"),
        })
    }
}

/// Removes a `postmaster.pid` whose number now belongs to a process that is alive but no server of this cluster:
/// PostgreSQL would take that process for a server and refuse to start. All other stale files it handles itself.
pub(crate) fn remove_misleading_pid_file(cluster: &Path) -> Result<(), Error> {
    match PidFile::read(cluster) {
        Some(PidFile { pid, .. }) if is_alive(pid) && !serves(pid, cluster) => {
            remove(&cluster.join("postmaster.pid"))
        }
        _ => Ok(()),
    }
}

fn is_alive(pid: i32) -> bool {
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH)) && !is_zombie(pid)
}

/// A killed server stays in the process table until its parent collects it.
fn is_zombie(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('Z'))
}

/// Whether the process is a server that was started on this cluster: numbers are reused, so its command line
/// has to name the directory.
fn serves(pid: i32, cluster: &Path) -> bool {
    is_alive(pid) && command_line(pid).is_some_and(|line| line.contains(&*cluster.to_string_lossy()))
}

fn command_line(pid: i32) -> Option<String> {
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    let output = Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_line_tells_a_starting_server_from_a_ready_one() {
        let starting = "4711\n/data/cluster\n1700000000\n5433\n\n127.0.0.1\n  1234 5\nstarting\n";
        let ready = starting.replace("starting", "ready   ");
        assert_eq!(PidFile::parse(starting), Some(PidFile { pid: 4711, port: 5433, is_ready: false }));
        assert_eq!(PidFile::parse(&ready), Some(PidFile { pid: 4711, port: 5433, is_ready: true }));
    }

    #[test]
    fn half_written_and_foreign_files_are_no_server() {
        for text in
            ["", "4711", "4711\n/data\n1700000000\n", "-4711\n/data\n1700000000\n0\n", "pid\n/d\n1\n2\n"]
        {
            assert_eq!(PidFile::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_live_process_of_another_kind_does_not_count_as_the_server() {
        let own_pid = i32::try_from(std::process::id()).expect("process numbers fit");
        assert!(is_alive(own_pid));
        assert!(!serves(own_pid, Path::new("/nonexistent/cluster")));
    }
}
