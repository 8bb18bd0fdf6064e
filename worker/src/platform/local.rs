//! The worker's own machine as a platform: the engine and the load generator are processes. The engine is the built-in
//! simulator or a command that the operator named; a request never brings a command of its own.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use accelbench_core::run::{PlatformSpec, Run, RunId};
use async_trait::async_trait;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use url::Url;

use super::command;
use super::probe::Probe;
use super::process::{Launch, Processes, Role};
use super::{
    LoadJob, LoadState, LogTail, Platform, PlatformError, Readiness, RunContext, TERMINATION_GRACE, Teardown,
};
use accelbench_store::logs::LogSource;

/// Local processes.
pub struct LocalPlatform {
    processes: Processes,
    probe: Probe,
}

/// What was started, noted before it is started: an adopting worker reads it.
#[derive(Debug, Serialize, Deserialize)]
struct EngineNote {
    port: u16,
    command: Vec<String>,
}

impl LocalPlatform {
    pub(super) fn new(processes: Processes, probe: Probe) -> Self {
        Self { processes, probe }
    }

    fn launch_engine(&self, context: &RunContext) -> Result<Launch, PlatformError> {
        let unreachable =
            |error: io::Error| PlatformError::Failed(format!("no port could be found: {error}"));
        let port = free_port().map_err(unreachable)?;
        let command = match &context.run.spec.platform {
            PlatformSpec::Local { engine } if engine.is_simulator() => {
                let arguments = command::simulator(context, Ipv4Addr::LOCALHOST.into(), port)?;
                std::iter::once(self.processes.program()).chain(arguments).collect()
            }
            _ => command::named(context, port)?,
        };
        let note = EngineNote { port, command: command.clone() };
        self.write_note(context.run.id, &note)
            .map_err(|error| PlatformError::Failed(format!("the run's folder cannot be written: {error}")))?;
        let token = context.hf_token.as_ref().map(|token| ("HF_TOKEN", token.expose().to_owned()));
        Ok(Launch { command, environment: token.into_iter().collect() })
    }

    fn write_note(&self, run_id: RunId, note: &EngineNote) -> io::Result<()> {
        fs::write(self.note_path(run_id), serde_json::to_vec(note)?)
    }

    fn read_note(&self, run_id: RunId) -> Option<EngineNote> {
        serde_json::from_slice(&fs::read(self.note_path(run_id)).ok()?).ok()
    }

    fn note_path(&self, run_id: RunId) -> std::path::PathBuf {
        self.processes.folder(run_id).join("engine.json")
    }

    /// Why the engine will never answer again, if so.
    fn engine_end(&self, run_id: RunId) -> Result<Option<String>, PlatformError> {
        // The processes are read first: its supervisor notes how an engine ended before it ends itself.
        let vanished =
            self.processes.find(run_id, Some(Role::Engine)).map_err(|error| unseen(&error))?.is_empty();
        let last = || self.processes.last_lines(run_id, Role::Engine, 5);
        if let Some(how) = self.processes.ended(run_id, Role::Engine) {
            return Ok(Some(format!("the engine ended before its time ({how}); {}", last())));
        }
        Ok(vanished.then(|| format!("the engine's process is gone (killed from outside?); {}", last())))
    }
}

#[async_trait]
impl Platform for LocalPlatform {
    async fn deploy(&self, context: &RunContext) -> Result<(), PlatformError> {
        let mut refusal = None;
        let launch = || {
            self.launch_engine(context).map_err(|error| {
                let message = error.to_string();
                refusal = Some(error);
                io::Error::other(message)
            })
        };
        let started = self.processes.ensure(context.run.id, Role::Engine, launch);
        match (started, refusal) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(refusal)) => Err(refusal),
            (Err(error), None) => Err(not_started("engine", &error)),
        }
    }

    async fn readiness(&self, context: &RunContext) -> Result<Readiness, PlatformError> {
        let run_id = context.run.id;
        let Some(note) = self.read_note(run_id) else {
            return Ok(Readiness::Failed("the engine was not started on this machine".to_owned()));
        };
        let readiness = self.probe.look(&local_url(note.port), &context.run.spec.model, note.command).await;
        // Whoever answers on the port may be somebody else: an engine that is gone is never ready.
        match (readiness, self.engine_end(run_id)?) {
            (_, Some(reason)) => Ok(Readiness::Failed(reason)),
            (readiness, None) => Ok(readiness),
        }
    }

    async fn start_load(&self, context: &RunContext, job: &LoadJob) -> Result<(), PlatformError> {
        start_loadgen(&self.processes, &context.run, job)
    }

    async fn load_state(&self, context: &RunContext) -> Result<LoadState, PlatformError> {
        let run = &context.run;
        match self.engine_end(run.id)? {
            Some(reason) => Ok(LoadState::Ended(reason)),
            None => loadgen_state(&self.processes, run),
        }
    }

    async fn teardown(&self, run_id: RunId) -> Result<Teardown, PlatformError> {
        teardown(&self.processes, run_id)
    }

    async fn logs(&self, run_id: RunId) -> Result<Vec<LogTail>, PlatformError> {
        logs(&self.processes, run_id)
    }

    async fn forget(&self, run_id: RunId) -> Result<(), PlatformError> {
        forget(&self.processes, run_id)
    }

    async fn present(&self) -> Result<Vec<RunId>, PlatformError> {
        self.processes.present().map_err(|error| unseen(&error))
    }
}

/// The processes of this machine could not be listed.
pub(super) fn unseen(error: &io::Error) -> PlatformError {
    PlatformError::Failed(format!("the processes of this machine cannot be listed: {error}"))
}

fn local_url(port: u16) -> Url {
    let mut url = Url::parse("http://127.0.0.1/").expect("the text is a URL");
    url.set_port(Some(port)).expect("an http URL takes a port");
    url
}

/// A port that is free now. Somebody else may take it before the engine does; the engine then ends and says so.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Starts the load generator of a run as a process of this machine.
pub(super) fn start_loadgen(processes: &Processes, run: &Run, job: &LoadJob) -> Result<(), PlatformError> {
    let launch = || {
        let arguments = ["loadgen", "--api-url", job.api_url.as_str(), "--run-id", &run.id.to_string()];
        let command = std::iter::once(processes.program()).chain(arguments.map(str::to_owned)).collect();
        Ok(Launch { command, environment: vec![("ACCELBENCH_RUN_TOKEN", job.token.clone())] })
    };
    processes.ensure(run.id, Role::Loadgen, launch).map_err(|error| not_started("load generator", &error))
}

/// A start that another worker has in hand is looked at again; anything else is a failure.
fn not_started(what: &str, error: &io::Error) -> PlatformError {
    if error.kind() == io::ErrorKind::WouldBlock {
        return PlatformError::Unreachable(format!("another worker of this machine is starting the {what}"));
    }
    PlatformError::Failed(format!("the {what} cannot be started: {error}"))
}

/// Looks whether the load generator of a run works.
pub(super) fn loadgen_state(processes: &Processes, run: &Run) -> Result<LoadState, PlatformError> {
    // The processes are read first, as for an engine.
    let vanished = processes.find(run.id, Some(Role::Loadgen)).map_err(|error| unseen(&error))?.is_empty();
    let last = || processes.last_lines(run.id, Role::Loadgen, 5);
    if let Some(how) = processes.ended(run.id, Role::Loadgen) {
        return Ok(LoadState::Ended(format!("the load generator ended ({how}); {}", last())));
    }
    if vanished {
        let reason = format!("the load generator's process is gone (killed from outside?); {}", last());
        return Ok(LoadState::Ended(reason));
    }
    Ok(LoadState::Running)
}

/// Asks the run's processes to end, and kills those that have not after the grace period.
pub(super) fn teardown(processes: &Processes, run_id: RunId) -> Result<Teardown, PlatformError> {
    if processes.find(run_id, None).map_err(|error| unseen(&error))?.is_empty() {
        return Ok(Teardown::Gone);
    }
    let failed =
        |error: io::Error| PlatformError::Failed(format!("the run's folder cannot be used: {error}"));
    let asked = processes.folder(run_id).join("asked-to-end");
    let waited = fs::metadata(&asked).and_then(|metadata| metadata.modified()).ok().map(|at| at.elapsed());
    match waited {
        None => {
            fs::create_dir_all(processes.folder(run_id)).map_err(failed)?;
            fs::write(&asked, "").map_err(failed)?;
            processes.signal(run_id, Signal::SIGTERM).map_err(failed)?;
        }
        // A clock that was set back gives an error: then nobody waits any longer.
        Some(Ok(waited)) if waited < TERMINATION_GRACE => {}
        Some(_) => {
            processes.signal(run_id, Signal::SIGKILL).map_err(failed)?;
        }
    }
    Ok(Teardown::InProgress(None))
}

/// Reads the logs of a run's processes.
pub(super) fn logs(processes: &Processes, run_id: RunId) -> Result<Vec<LogTail>, PlatformError> {
    let mut logs = Vec::new();
    for (role, source) in [(Role::Engine, LogSource::Engine), (Role::Loadgen, LogSource::Loadgen)] {
        let tail = processes.log(run_id, role);
        let tail = tail.map_err(|error| PlatformError::Failed(format!("a log cannot be read: {error}")))?;
        logs.extend(tail.map(|(content, truncated)| LogTail { source, content, truncated }));
    }
    Ok(logs)
}

/// Removes the run's folder.
pub(super) fn forget(processes: &Processes, run_id: RunId) -> Result<(), PlatformError> {
    processes
        .forget(run_id)
        .map_err(|error| PlatformError::Failed(format!("the run's folder cannot be removed: {error}")))
}
