//! The account that the server runs under: our own, or another one when we are root, which PostgreSQL refuses.

use std::env;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User, geteuid};

use crate::Error;

/// Accounts that may run the server when we are root, best first.
const SUBSTITUTES: [&str; 2] = ["postgres", "nobody"];

/// Who runs PostgreSQL's programs.
#[derive(Debug, Clone)]
pub(crate) enum Account {
    /// We are an ordinary user: ourselves.
    Own,
    /// We are root: this account instead.
    Substitute(Box<User>),
}

impl Account {
    /// The account for this process: errors only when we are root and no substitute exists.
    pub(crate) fn choose() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        SUBSTITUTES
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::Substitute(Box::new(user)))
            .ok_or(Error::NoAccount)
    }

    /// Like [`Self::choose`], but root keeps to the account that owns an existing cluster: a better one may have
    /// come since, and PostgreSQL serves only what its own account owns.
    pub(crate) fn choose_for(cluster: &Path) -> Result<Self, Error> {
        let owner = match cluster.metadata() {
            Ok(metadata) if geteuid().is_root() && metadata.uid() != 0 => Uid::from_raw(metadata.uid()),
            _ => return Self::choose(),
        };
        match User::from_uid(owner) {
            Ok(Some(user)) => Ok(Self::Substitute(Box::new(user))),
            _ => Self::choose(),
        }
    }

    /// A command that runs as this account, from `/`, in the C locale and without the caller's PG* settings.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        // The caller's directory may be closed to the account. English messages are what `server` looks for.
        command.current_dir("/").env("LC_ALL", "C");
        if let Self::Substitute(user) = self {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Makes this account the owner of `path`.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Own => Ok(()),
            Self::Substitute(user) => chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .map_err(Error::io("change the owner of", path)),
        }
    }

    /// Checks that this account can enter `directory` and each of its parents; it must exist and be absolute.
    pub(crate) fn check_reach(&self, directory: &Path) -> Result<(), Error> {
        let Self::Substitute(user) = self else {
            return Ok(());
        };
        for ancestor in directory.ancestors() {
            let metadata = ancestor.metadata().map_err(Error::io("inspect", ancestor))?;
            if !may_enter(user, &metadata) {
                return Err(Error::Unreachable {
                    data_directory: directory.to_owned(),
                    ancestor: ancestor.to_owned(),
                    account: user.name.clone(),
                });
            }
        }
        Ok(())
    }
}

/// The search bit that applies to the user; its supplementary groups are dropped when we change to it.
fn may_enter(user: &User, directory: &Metadata) -> bool {
    let search_bit = if directory.uid() == user.uid.as_raw() {
        0o100
    } else if directory.gid() == user.gid.as_raw() {
        0o010
    } else {
        0o001
    };
    directory.mode() & search_bit != 0
}
