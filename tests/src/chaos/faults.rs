//! What goes wrong. A fault is injected, lasts, and is over when [`Fault::inject`] returns, but for what it broke.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use tokio::time::sleep;

use super::system::System;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A worker is killed, and another started.
    WorkerKilled,
    /// A worker stands still for this long, perhaps longer than its lease, and goes on.
    WorkerFrozen(Duration),
    /// A server is killed and started again.
    ServerKilled,
    /// A server stands still.
    ServerFrozen(Duration),
    /// Something that a run started, engine or load generator, is killed.
    RunProcessKilled,
    /// The database is stopped and started again.
    DatabaseRestarted,
    /// A process of the database is killed, so that it recovers from its log.
    DatabaseCrashed,
    /// Nobody reaches the database.
    DatabaseCutOff(Duration),
    /// The database is far away.
    DatabaseSlow(Duration),
    /// Nothing can be written where workers keep their files.
    DiskFull(Duration),
    /// The clocks of the workers jump by so many seconds, for good.
    ClockJumped(i64),
}

impl Fault {
    /// Something that this machine can do.
    pub(super) fn choose(system: &System, random: &mut StdRng) -> Self {
        let seconds =
            |random: &mut StdRng, most: u64| Duration::from_millis(random.random_range(500..most * 1000));
        loop {
            return match random.random_range(0..11) {
                0 => Self::WorkerKilled,
                // The lease lasts 8 s.
                1 => Self::WorkerFrozen(seconds(random, 14)),
                2 => Self::ServerKilled,
                3 => Self::ServerFrozen(seconds(random, 8)),
                4 => Self::RunProcessKilled,
                5 => Self::DatabaseRestarted,
                6 => Self::DatabaseCrashed,
                7 => Self::DatabaseCutOff(seconds(random, 12)),
                8 => Self::DatabaseSlow(seconds(random, 6)),
                9 if system.disk.is_some() => Self::DiskFull(seconds(random, 8)),
                10 if system.clock.is_some() => Self::ClockJumped(
                    *[-86_400, -600, -60, -5, 5, 60, 600, 86_400].choose(random).unwrap_or(&0),
                ),
                _ => continue,
            };
        }
    }

    /// Its name, without how long it lasts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WorkerKilled => "worker killed",
            Self::WorkerFrozen(_) => "worker frozen",
            Self::ServerKilled => "server killed",
            Self::ServerFrozen(_) => "server frozen",
            Self::RunProcessKilled => "engine or load generator killed",
            Self::DatabaseRestarted => "database restarted",
            Self::DatabaseCrashed => "database crashed",
            Self::DatabaseCutOff(_) => "database cut off",
            Self::DatabaseSlow(_) => "database slow",
            Self::DiskFull(_) => "disk full",
            Self::ClockJumped(_) => "clocks jumped",
        }
    }

    /// Whether a run may fail of it. Of all else a run only takes longer.
    pub(super) fn excuses_a_failure(self) -> bool {
        matches!(self, Self::RunProcessKilled | Self::DiskFull(_))
    }

    /// Lets it happen, and waits until it is over.
    pub(super) async fn inject(self, system: &mut System, random: &mut StdRng) -> anyhow::Result<()> {
        match self {
            Self::WorkerKilled => {
                let worker = one(system.workers(), random);
                system.replace_worker(worker)?;
            }
            Self::WorkerFrozen(time) => freeze(one(system.workers(), random), time).await,
            Self::ServerKilled => system.installation.restart_server(random.random_range(0..2))?,
            Self::ServerFrozen(time) => freeze(one(&system.installation.servers(), random), time).await,
            Self::RunProcessKilled => {
                if let Some(&pid) = system.installation.run_processes()?.choose(random) {
                    // It may have ended just now.
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                }
            }
            Self::DatabaseRestarted => system.restart_database().await?,
            Self::DatabaseCrashed => system.crash_database().await,
            Self::DatabaseCutOff(time) => {
                system.cable.cut();
                sleep(time).await;
                system.cable.mend();
            }
            Self::DatabaseSlow(time) => {
                system.cable.delay(Duration::from_millis(random.random_range(20..400)));
                sleep(time).await;
                system.cable.mend();
            }
            Self::DiskFull(time) => {
                if let Some(disk) = &system.disk {
                    disk.fill()?;
                    sleep(time).await;
                    disk.empty()?;
                }
            }
            Self::ClockJumped(seconds) => {
                if let Some(clock) = &system.clock {
                    clock.jump(seconds)?;
                }
            }
        }
        Ok(())
    }
}

/// One of them; there are always some.
fn one(pids: &[Pid], random: &mut StdRng) -> Pid {
    pids[random.random_range(0..pids.len())]
}

async fn freeze(pid: Pid, time: Duration) {
    // A process that has ended meanwhile is none that could be frozen.
    let _ = kill(pid, Signal::SIGSTOP);
    sleep(time).await;
    let _ = kill(pid, Signal::SIGCONT);
}
