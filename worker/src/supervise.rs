//! The small program between a worker and a process of a run: it waits for the process and notes how it ended, so that
//! the next worker knows too. It is started in a process group of its own and is ended with it.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use anyhow::Context as _;
use clap::Args;
use std::os::unix::process::ExitStatusExt as _;

/// What to start, and where to note its end.
#[derive(Debug, Clone, Args)]
pub struct SuperviseOptions {
    /// File that says how the command ended, written when it does
    #[arg(long)]
    pub ended_file: PathBuf,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

/// Runs the command to its end.
///
/// # Errors
/// When the note cannot be written.
pub fn supervise(options: &SuperviseOptions) -> anyhow::Result<()> {
    let how = match start(&options.command) {
        Ok(status) => describe(status),
        Err(error) => format!("`{}` could not be started: {error}", options.command[0]),
    };
    // Renamed into place: a reader never sees half a note.
    let unfinished = options.ended_file.with_extension("unfinished");
    std::fs::write(&unfinished, &how)
        .and_then(|()| std::fs::rename(&unfinished, &options.ended_file))
        .with_context(|| format!("{} cannot be written", options.ended_file.display()))
}

fn start(command: &[String]) -> std::io::Result<ExitStatus> {
    Command::new(&command[0]).args(&command[1..]).status()
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "in an unknown way".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{SuperviseOptions, supervise};

    #[test]
    fn the_note_says_how_the_command_ended() {
        let folder = tempfile::tempdir().unwrap();
        for (command, how) in [("exit 7", "exit code 7"), ("kill -9 $$", "killed by signal 9")] {
            let ended_file = folder.path().join("engine.ended");
            let command = ["sh", "-c", command].map(str::to_owned).to_vec();
            supervise(&SuperviseOptions { ended_file: ended_file.clone(), command }).unwrap();
            assert_eq!(std::fs::read_to_string(ended_file).unwrap(), how);
        }
        let ended_file = folder.path().join("loadgen.ended");
        let command = vec!["no-such-program-here".to_owned()];
        supervise(&SuperviseOptions { ended_file: ended_file.clone(), command }).unwrap();
        assert!(std::fs::read_to_string(ended_file).unwrap().contains("could not be started"));
    }
}
