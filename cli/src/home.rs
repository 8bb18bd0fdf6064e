//! What `accelbench up` keeps on this machine: the database, the key, the folder of local runs, and who runs.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use accelbench_embedded_postgres::default_data_directory;
use accelbench_store::secrets::SecretKey;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

/// The folder of one local installation.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
}

/// Who runs here now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Process id of `accelbench up`.
    pub(crate) pid: i32,
    /// Address of its pages.
    pub(crate) url: String,
}

impl Home {
    /// Opens the folder, which is made if it is not there.
    pub(crate) fn open(folder: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = folder.map_or_else(default_data_directory, Ok)?;
        fs::create_dir_all(&folder).with_context(|| {
            format!("the data folder {} cannot be made; name another with --data-dir", folder.display())
        })?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes the installation for this process; `None` when another process has it.
    pub(crate) fn try_lock(&self) -> anyhow::Result<Option<File>> {
        let path = self.path("up.lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => bail!("{} cannot be locked: {error}", path.display()),
        }
    }

    pub(crate) fn write_running(&self, running: &Running) -> anyhow::Result<()> {
        fs::write(self.path("up.json"), serde_json::to_vec_pretty(running)?)
            .context("up.json cannot be written")
    }

    pub(crate) fn running(&self) -> Option<Running> {
        serde_json::from_slice(&fs::read(self.path("up.json")).ok()?).ok()
    }

    pub(crate) fn clear_running(&self) {
        // Gone already is what is wanted.
        let _ = fs::remove_file(self.path("up.json"));
    }

    /// The key of this installation, made at the first start.
    pub(crate) fn secret_key(&self) -> anyhow::Result<SecretKey> {
        let path = self.path("secret-key");
        let mut text = String::new();
        match File::open(&path) {
            Ok(mut file) => {
                file.read_to_string(&mut text)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                text = SecretKey::generate().to_text();
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all(text.as_bytes())?;
            }
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
        SecretKey::from_text(text.trim()).with_context(|| format!("{} does not hold a key", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::Home;

    #[test]
    fn the_key_is_made_once_and_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(Some(folder.path().join("home"))).unwrap();
        let key = home.secret_key().unwrap().to_text();
        assert_eq!(home.secret_key().unwrap().to_text(), key);
        let mode = home.path("secret-key").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_one_process_has_the_installation() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(Some(folder.path().to_owned())).unwrap();
        let held = home.try_lock().unwrap();
        assert!(held.is_some());
        assert!(home.try_lock().unwrap().is_none());
        drop(held);
        assert!(home.try_lock().unwrap().is_some());
    }
}
