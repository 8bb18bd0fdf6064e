//! The two channels: data on stdout, words about it on stderr. A reader that went away is no error.

use std::fs::File;
use std::io::{Write as _, stderr, stdout};
use std::os::fd::OwnedFd;

use nix::unistd::{dup, dup2_stdout};
use serde::Serialize;

/// Stdout with nobody's words on it: goose, which drives the load, prints there and cannot be told not to.
pub(crate) struct SilencedStdout(OwnedFd);

impl SilencedStdout {
    /// Lets whatever is printed go nowhere until [`Self::restore`].
    pub(crate) fn silence() -> anyhow::Result<Self> {
        let stdout = dup(stdout())?;
        dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        Ok(Self(stdout))
    }

    /// Lets data through again.
    pub(crate) fn restore(self) -> anyhow::Result<()> {
        stdout().flush()?;
        Ok(dup2_stdout(self.0)?)
    }
}

/// Writes data to stdout.
pub(crate) fn data(text: &str) {
    // A closed pipe (`accelbench query | head`) must not end in an error message.
    let _ = writeln!(stdout().lock(), "{text}");
}

/// Writes data to stdout as JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    data(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Tells a person something on stderr.
pub(crate) fn notice(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}
