//! The PostgreSQL binaries on this machine: where they may be, and whether they will do.

mod candidates;
mod download;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::account::Account;
use crate::data_directory::cluster_version;

/// The oldest major version that the schema and its queue are written for.
pub const OLDEST_MAJOR_VERSION: u32 = 15;

/// Extensions that the job queue's schema creates; some systems pack them apart from the server.
const NEEDED_EXTENSIONS: [&str; 2] = ["hstore", "pgcrypto"];

/// Binaries of one PostgreSQL version that will do: new enough, and with the extensions needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    bin_directory: PathBuf,
    major_version: u32,
}

impl Installation {
    /// The first usable installation among PATH, `pg_config`, Debian's, Homebrew's and the RPM directories,
    /// within each the newest version.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the reason for each installation that was seen but does not do.
    pub fn find() -> Result<Self, Error> {
        Self::find_all()?.into_iter().next().ok_or_else(|| Error::NotFound { rejected: String::new() })
    }

    /// Like [`Self::find`], but prefers the version that made the cluster in `data_directory`, if there is one:
    /// after a system upgrade several versions lie side by side.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_for(data_directory: &Path) -> Result<Self, Error> {
        let wanted = cluster_version(data_directory);
        let mut usable = Self::find_all()?;
        let position = usable.iter().position(|found| Some(found.major_version) == wanted).unwrap_or(0);
        Ok(usable.swap_remove(position))
    }

    /// Like [`Self::find_for`]; when nothing usable is on the machine, downloads a build of PostgreSQL 17 into
    /// `data_directory` and uses that from then on.
    ///
    /// # Errors
    /// [`Error::Download`] when that fails, [`Error::NotFound`] when the downloaded build does not do.
    pub async fn obtain(data_directory: &Path) -> Result<Self, Error> {
        match Self::find_for(data_directory) {
            Err(Error::NotFound { .. }) => {
                let bin_directory = download::ensure(data_directory).await?;
                Self::inspect(&bin_directory)
                    .map_err(|reason| Error::NotFound { rejected: describe(&[(bin_directory, reason)]) })
            }
            other => other,
        }
    }

    /// The directory of `postgres`, `initdb` and the other programs.
    #[must_use]
    pub fn bin_directory(&self) -> &Path {
        &self.bin_directory
    }

    /// The major version, such as 17.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        self.major_version
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin_directory.join(name)
    }

    /// All usable ones, best first, never empty.
    fn find_all() -> Result<Vec<Self>, Error> {
        let mut usable = Vec::new();
        let mut rejected = Vec::new();
        for directory in candidates::bin_directories() {
            match Self::inspect(&directory) {
                Ok(installation) => usable.push(installation),
                Err(reason) => rejected.push((directory, reason)),
            }
        }
        if usable.is_empty() {
            return Err(Error::NotFound { rejected: describe(&rejected) });
        }
        Ok(usable)
    }

    /// Accepts a directory of binaries, or says in plain words why it does not do.
    fn inspect(bin_directory: &Path) -> Result<Self, String> {
        let version = printed(Command::new(bin_directory.join("postgres")).arg("--version"))?;
        let major_version =
            parse_major_version(&version).ok_or_else(|| format!("unreadable version {version:?}"))?;
        if major_version < OLDEST_MAJOR_VERSION {
            return Err(format!("version {major_version} is too old"));
        }

        // `initdb --show` is the only program that every build has and that tells the share directory.
        let account = Account::choose().map_err(|error| error.to_string())?;
        let mut show = account.command(bin_directory.join("initdb"));
        let settings = printed(show.args(["--show", "--pgdata=/nonexistent"]))?;
        let share = parse_share_directory(&settings).ok_or("initdb does not tell its share directory")?;
        match NEEDED_EXTENSIONS.iter().find(|name| !control_file(&share, name).is_file()) {
            Some(name) => Err(format!("the extension {name} is missing, install postgresql-contrib as well")),
            None => Ok(Self { bin_directory: bin_directory.to_owned(), major_version }),
        }
    }
}

fn control_file(share: &Path, extension: &str) -> PathBuf {
    share.join("extension").join(format!("{extension}.control"))
}

/// Everything a program prints, or why it failed.
fn printed(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot run {program}: {error}"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    if output.status.success() { Ok(text) } else { Err(format!("{program} failed: {text}")) }
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` or `... 18beta1`.
fn parse_major_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn parse_share_directory(settings: &str) -> Option<PathBuf> {
    settings.lines().find_map(|line| line.strip_prefix("share_path=")).map(PathBuf::from)
}

fn describe(rejected: &[(PathBuf, String)]) -> String {
    let lines: Vec<String> =
        rejected.iter().map(|(directory, reason)| format!("; {}: {reason}", directory.display())).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form_of_version_line() {
        for (line, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 17.2", Some(17)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("postgres, something else", None),
        ] {
            assert_eq!(parse_major_version(line), expected, "{line}");
        }
    }

    #[test]
    fn the_share_directory_is_found_among_the_settings_of_initdb() {
        let settings = "VERSION=15.18\nPGDATA=/nonexistent\nshare_path=/usr/share/postgresql/15\nPGPATH=/bin";
        assert_eq!(parse_share_directory(settings), Some("/usr/share/postgresql/15".into()));
        assert_eq!(parse_share_directory("VERSION=15.18"), None);
    }

    #[test]
    fn a_directory_without_binaries_is_rejected_with_the_reason() {
        let reason = Installation::inspect(Path::new("/nonexistent/bin")).expect_err("nothing is there");
        assert!(reason.starts_with("cannot run /nonexistent/bin/postgres"), "{reason}");
    }
}
