//! The file that a server writes its messages to, and the part of it that goes into an error.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use crate::Error;

/// A log larger than this is emptied at the next start.
const LIMIT_BYTES: u64 = 10 << 20;

/// How much of the end of a log goes into an error.
const SHOWN_LINES: usize = 12;

/// The server's log, and where in it this start begins.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    start: u64,
}

impl LogFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if size > LIMIT_BYTES {
            fs::write(&path, "").map_err(Error::io("empty", &path))?;
            return Ok(Self { path, start: 0 });
        }
        Ok(Self { path, start: size })
    }

    /// For the server's standard output and standard error.
    pub(super) fn handles(&self) -> Result<(Stdio, Stdio), Error> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(Error::io("open", &self.path))?;
        let copy = file.try_clone().map_err(Error::io("open", &self.path))?;
        Ok((file.into(), copy.into()))
    }

    /// The last lines that were written since this start.
    pub(super) fn tail(&self) -> String {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.start))?;
            file.read_to_end(&mut bytes)
        });
        match read {
            Ok(_) => last_lines(&String::from_utf8_lossy(&bytes)),
            Err(error) => format!("cannot read {}: {error}", self.path.display()),
        }
    }
}

/// The end of a text, short enough for an error.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_carry_only_the_end_of_a_long_log() {
        let lines: Vec<String> = (1..=30).map(|number| format!("line {number}\n")).collect();
        let shown = last_lines(&lines.concat());
        assert!(shown.starts_with("line 19\n") && shown.ends_with("line 30"), "{shown}");
        assert_eq!(last_lines("\n"), "");
    }
}
