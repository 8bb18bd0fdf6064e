//! Processes of runs on this machine. Each carries its run in its environment, and so do its children: it is found by
//! that mark and not by a process id that somebody wrote down, so that a worker that dies between starting a process and
//! noting it leaks nothing. The mark names the state folder too: installations on one machine leave each other alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use accelbench_core::run::RunId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

const RUN_MARK: &str = "ACCELBENCH_MARK_RUN";
const ROLE_MARK: &str = "ACCELBENCH_MARK_ROLE";
const STATE_MARK: &str = "ACCELBENCH_MARK_STATE";

/// What is kept of a log's beginning, where engines tell how they are set up, and of its end, in bytes.
const LOG_HEAD: u64 = 64 * 1024;
const LOG_TAIL: u64 = 192 * 1024;

/// What a process does for its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Engine,
    Loadgen,
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Loadgen => "loadgen",
        }
    }
}

/// A process to start.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// The processes under one state folder.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    state_dir: PathBuf,
    program: PathBuf,
}

impl Processes {
    pub(crate) fn new(state_dir: PathBuf, program: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(state_dir.join("runs"))?;
        Ok(Self { state_dir: fs::canonicalize(state_dir)?, program })
    }

    /// The accelbench program that plays simulator and load generator.
    pub(crate) fn program(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// The folder of a run; it exists while something of the run may be on this machine.
    pub(crate) fn folder(&self, run_id: RunId) -> PathBuf {
        self.state_dir.join("runs").join(run_id.to_string())
    }

    /// Starts a process of a run unless one was started in this role before, be it running or ended. The folder's lock
    /// makes two workers that try at once agree; `launch` is asked for what to start only by the one that starts. Nobody
    /// waits for the lock, whose holder may be asleep: `WouldBlock` says that another worker has it.
    pub(crate) fn ensure(
        &self,
        run_id: RunId,
        role: Role,
        launch: impl FnOnce() -> io::Result<Launch>,
    ) -> io::Result<()> {
        let folder = self.folder(run_id);
        fs::create_dir_all(&folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.try_lock()?;
        // In this order: one that ends between the two looks has left its note, and is not started a second time.
        if !self.find(run_id, Some(role))?.is_empty() || self.ended(run_id, role).is_some() {
            return Ok(());
        }
        self.start(run_id, role, &launch()?)
    }

    /// Starts a process in a group of its own, under a supervisor that notes how it ended.
    fn start(&self, run_id: RunId, role: Role, launch: &Launch) -> io::Result<()> {
        let folder = self.folder(run_id);
        let log = File::options().create(true).append(true).open(self.log_path(run_id, role))?;
        let mut command = Command::new(&self.program);
        command
            .arg("supervise")
            .arg("--ended-file")
            .arg(self.ended_path(run_id, role))
            .arg("--")
            .args(&launch.command)
            .current_dir(&folder)
            .env(RUN_MARK, run_id.to_string())
            .env(ROLE_MARK, role.as_str())
            .env(STATE_MARK, &self.state_dir)
            .envs(launch.environment.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        // What the worker must keep to itself never reaches an engine.
        for name in ["ACCELBENCH_SECRET_KEY", "DATABASE_URL", "ACCELBENCH_DATABASE_URL"] {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        // The child outlives this worker on purpose; while the worker lives, somebody must collect its end.
        std::thread::spawn(move || child.wait());
        Ok(())
    }

    /// The running processes of a run in a role (`None`: in any), with their process groups' members.
    pub(crate) fn find(&self, run_id: RunId, role: Option<Role>) -> io::Result<Vec<Pid>> {
        let mut found = self.scan()?.remove(&run_id).unwrap_or_default();
        found.retain(|process| role.is_none_or(|role| process.role == role.as_str()));
        Ok(found.into_iter().map(|process| process.pid).collect())
    }

    /// Every run that has a running process or a folder here.
    pub(crate) fn present(&self) -> io::Result<Vec<RunId>> {
        let mut runs: BTreeSet<RunId> = self.scan()?.into_keys().collect();
        for entry in fs::read_dir(self.state_dir.join("runs"))? {
            runs.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        Ok(runs.into_iter().collect())
    }

    /// Asks every process of the run to end, or kills it.
    pub(crate) fn signal(&self, run_id: RunId, signal: Signal) -> io::Result<()> {
        for pid in self.find(run_id, None)? {
            // A process that ended in between is what was wanted.
            let _ = kill(pid, signal);
        }
        Ok(())
    }

    pub(crate) fn log_path(&self, run_id: RunId, role: Role) -> PathBuf {
        self.folder(run_id).join(format!("{}.log", role.as_str()))
    }

    /// How a process ended, in words, once it did and its supervisor noted it.
    pub(crate) fn ended(&self, run_id: RunId, role: Role) -> Option<String> {
        let words = fs::read_to_string(self.ended_path(run_id, role)).ok()?;
        Some(words.trim().to_owned()).filter(|words| !words.is_empty())
    }

    /// A log, without its middle if it is long, and whether something was left out.
    pub(crate) fn log(&self, run_id: RunId, role: Role) -> io::Result<Option<(String, bool)>> {
        let path = self.log_path(run_id, role);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if size <= LOG_HEAD + LOG_TAIL {
            return tail(&path, LOG_HEAD + LOG_TAIL);
        }
        let mut head = Vec::new();
        File::open(&path)?.take(LOG_HEAD).read_to_end(&mut head)?;
        let mut head = text(&head);
        head.truncate(head.rfind(char::is_whitespace).unwrap_or(0));
        let Some((tail, _)) = tail(&path, LOG_TAIL)? else { return Ok(None) };
        let left_out = size - LOG_HEAD - LOG_TAIL;
        Ok(Some((format!("{head}\n[... about {} KiB left out ...]\n{tail}", left_out / 1024), true)))
    }

    /// The last lines of a log, for a sentence about what went wrong.
    pub(crate) fn last_lines(&self, run_id: RunId, role: Role, count: usize) -> String {
        let Ok(Some((text, _))) = tail(&self.log_path(run_id, role), 16 * 1024) else {
            return "it wrote no log".to_owned();
        };
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if lines.is_empty() {
            return "its log is empty".to_owned();
        }
        let last = &lines[lines.len().saturating_sub(count)..];
        format!("the last lines of its log: {}", last.join(" | "))
    }

    /// Removes the run's folder.
    pub(crate) fn forget(&self, run_id: RunId) -> io::Result<()> {
        match fs::remove_dir_all(self.folder(run_id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn ended_path(&self, run_id: RunId, role: Role) -> PathBuf {
        self.folder(run_id).join(format!("{}.ended", role.as_str()))
    }

    /// A look at all processes that fails is no look: nobody may conclude from it that a run has none.
    fn scan(&self) -> io::Result<BTreeMap<RunId, Vec<Marked>>> {
        let mut system = System::new().map_err(io::Error::other)?;
        let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always).without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let mut runs: BTreeMap<RunId, Vec<Marked>> = BTreeMap::new();
        for process in system.processes().values() {
            let dead = matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead);
            if dead || mark(process.environ(), STATE_MARK) != Some(&self.state_dir.to_string_lossy()) {
                continue;
            }
            let run_id = mark(process.environ(), RUN_MARK).and_then(|text| text.parse().ok());
            let role = mark(process.environ(), ROLE_MARK);
            if let (Some(run_id), Some(role)) = (run_id, role) {
                let pid = Pid::from_raw(process.pid().as_u32().cast_signed());
                runs.entry(run_id).or_default().push(Marked { pid, role: role.to_owned() });
            }
        }
        Ok(runs)
    }
}

struct Marked {
    pid: Pid,
    role: String,
}

fn mark<'a>(environment: &'a [OsString], name: &str) -> Option<&'a str> {
    environment.iter().find_map(|entry| entry.to_str()?.strip_prefix(name)?.strip_prefix('='))
}

/// A NUL cannot be stored in the database's text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

fn tail(path: &Path, limit: u64) -> io::Result<Option<(String, bool)>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    let mut text = text(&bytes);
    let cut = size > limit;
    if cut {
        // Half of a secret would be recognised by nobody; secrets have no spaces.
        text.drain(..text.find(char::is_whitespace).unwrap_or(text.len()));
    }
    Ok(Some((text, cut)))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io;

    use accelbench_core::run::RunId;

    use super::{LOG_HEAD, LOG_TAIL, Processes, Role};

    #[test]
    fn a_worker_asleep_over_a_start_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let processes = Processes::new(folder.path().to_owned(), "accelbench".into()).unwrap();
        let run_id = RunId::new();
        fs::create_dir_all(processes.folder(run_id)).unwrap();
        let sleeper = File::create(processes.folder(run_id).join("lock")).unwrap();
        sleeper.lock().unwrap();
        let refused = processes.ensure(run_id, Role::Engine, || Err(io::Error::other("nobody asks")));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(sleeper);
        let asked = processes.ensure(run_id, Role::Engine, || Err(io::Error::other("asked")));
        assert_eq!(asked.unwrap_err().to_string(), "asked");
    }

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let processes = Processes::new(folder.path().to_owned(), "accelbench".into()).unwrap();
        let run_id = RunId::new();
        assert_eq!(processes.log(run_id, Role::Engine).unwrap(), None);
        fs::create_dir_all(processes.folder(run_id)).unwrap();
        fs::write(processes.log_path(run_id, Role::Engine), "short\0").unwrap();
        assert_eq!(processes.log(run_id, Role::Engine).unwrap(), Some(("short\u{fffd}".to_owned(), false)));

        let lines: Vec<String> = (0..50_000).map(|number| format!("line {number}")).collect();
        fs::write(processes.log_path(run_id, Role::Engine), lines.join("\n")).unwrap();
        let (log, cut) = processes.log(run_id, Role::Engine).unwrap().unwrap();
        assert!(cut && log.len() as u64 <= LOG_HEAD + LOG_TAIL + 100);
        assert!(log.starts_with("line 0\nline 1\n") && log.ends_with("\nline 49999"));
        assert!(log.contains("KiB left out ...]\n"));
    }
}
