//! The directory that holds everything of one private server, and the lock that makes us its only owner.
//!
//! `cluster/` is PostgreSQL's own directory (PGDATA), moved into place only when complete; beside it lie the
//! password, the server's log and the lock. Only `cluster/` and the password belong to the server's account.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use nix::unistd::geteuid;

use crate::account::Account;
use crate::{Error, Postmaster};

/// What the names of clusters that are being made start with.
const UNFINISHED: &str = "cluster.unfinished-";

/// Where the data goes unless the user says otherwise: `/var/lib/accelbench` for root (the account that runs
/// the server cannot enter root's home), the user's data directory otherwise.
///
/// # Errors
/// [`Error::NoHome`] when the home directory is unknown.
pub fn default_data_directory() -> Result<PathBuf, Error> {
    if geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/accelbench"));
    }
    let strategy = etcetera::base_strategy::choose_native_strategy().map_err(Error::NoHome)?;
    Ok(strategy.data_dir().join("accelbench"))
}

/// PostgreSQL's own directory inside a data directory.
pub(crate) fn cluster_directory(data_directory: &Path) -> PathBuf {
    data_directory.join("cluster")
}

/// The major version that made the cluster in a data directory, if there is a cluster.
pub(crate) fn cluster_version(data_directory: &Path) -> Option<u32> {
    let text = fs::read_to_string(cluster_directory(data_directory).join("PG_VERSION")).ok()?;
    text.trim().parse().ok()
}

/// A data directory of which this process is the only owner, for as long as the value lives.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// Released by the system when the process ends, however it ends.
    _lock: File,
}

impl DataDirectory {
    /// Creates the directory where missing and takes its lock; `AlreadyRunning` when another holds it.
    pub(crate) fn open(path: &Path, account: &Account) -> Result<Self, Error> {
        create(path, account)?;
        let path = path.canonicalize().map_err(Error::io("resolve", path))?;
        account.check_reach(&path)?;

        let lock_file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_file)
            .map_err(Error::io("open", &lock_file))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let postmaster = Postmaster::find(&path);
                Err(Error::AlreadyRunning { data_directory: path, postmaster })
            }
            Err(TryLockError::Error(source)) => Err(Error::io("lock", lock_file)(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        cluster_directory(&self.path)
    }

    /// A new name under which the cluster is made before it is moved to its place: never one that was used, since
    /// an `initdb` whose owner died may still be writing there.
    pub(crate) fn unfinished_cluster(&self) -> PathBuf {
        self.path.join(format!("{UNFINISHED}{:08x}", rand::random::<u32>()))
    }

    /// Removes what interrupted starts have left, as far as it can be.
    pub(crate) fn remove_unfinished_clusters(&self) -> Result<(), Error> {
        for entry in fs::read_dir(&self.path).map_err(Error::io("list", &self.path))?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
                && let Err(error) = remove(&entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "leaving an unfinished cluster behind");
            }
        }
        Ok(())
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.path.join("password")
    }

    /// The password of the cluster's account.
    pub(crate) fn password(&self) -> Result<String, Error> {
        let path = self.password_file();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(source) => Err(Error::PasswordMissing { path, source }),
        }
    }

    /// Writes a new random password, readable by the server's account alone, and returns its file.
    pub(crate) fn renew_password(&self, account: &Account) -> Result<PathBuf, Error> {
        let path = self.password_file();
        remove(&path)?;
        let password = format!("{:032x}\n", rand::random::<u128>());
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(password.as_bytes())?;
                file.sync_all()
            })
            .map_err(Error::io("write", &path))?;
        account.own(&path)?;
        Ok(path)
    }
}

/// Removes a file or a whole directory; one that is not there is fine.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Private for an ordinary user; enterable where another account runs the server (the cluster itself is private).
fn create(path: &Path, account: &Account) -> Result<(), Error> {
    let mode = match account {
        Account::Own => 0o700,
        Account::Substitute(_) => 0o755,
    };
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(Error::io("create", path))
}
