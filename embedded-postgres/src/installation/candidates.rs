//! The directories in which a package manager or the user may have put PostgreSQL's binaries.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Parent directories of versioned installations and the name that these start with.
const VERSIONED: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql"),
    ("/usr", "pgsql-"),
];

/// Every directory on this machine that holds both `postgres` and `initdb`, once each, best first.
pub(super) fn bin_directories() -> Vec<PathBuf> {
    let versioned =
        VERSIONED.iter().flat_map(|(parent, prefix)| versioned_bin_directories(Path::new(parent), prefix));
    let mut directories = Vec::new();
    for directory in on_path().into_iter().chain(told_by_pg_config()).chain(versioned) {
        if let Some(directory) = resolve(&directory)
            && !directories.contains(&directory)
        {
            directories.push(directory);
        }
    }
    directories
}

fn on_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn told_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = String::from_utf8(output.stdout).ok()?;
    (!directory.trim().is_empty()).then(|| PathBuf::from(directory.trim()))
}

/// `<parent>/<prefix><version>/bin`, the newest version first.
fn versioned_bin_directories(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = parse_version(entry.file_name().to_str()?.strip_prefix(prefix)?)?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| Reverse(*version));
    versions.into_iter().map(|(_, directory)| directory).collect()
}

/// The major version in `17`, `@17` or `9.6`; Homebrew's bare `postgresql` sorts last.
fn parse_version(suffix: &str) -> Option<u32> {
    match suffix.trim_start_matches('@').split('.').next()? {
        "" => Some(0),
        major => major.parse().ok(),
    }
}

/// Where the binaries really are: PATH often holds links, and a server finds its libraries beside itself.
fn resolve(directory: &Path) -> Option<PathBuf> {
    let postgres = directory.join("postgres").canonicalize().ok()?;
    let real = postgres.parent()?;
    real.join("initdb").is_file().then(|| real.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn newer_versions_come_first_and_other_names_are_ignored() {
        let parent = tempdir().expect("a directory");
        for name in
            ["postgresql@9.6", "postgresql@17", "postgresql@14", "postgresql", "postgresql-client", "redis"]
        {
            fs::create_dir(parent.path().join(name)).expect("a directory");
        }
        let found = versioned_bin_directories(parent.path(), "postgresql");
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(parent.path()).expect("inside")).collect();
        let expected = ["postgresql@17/bin", "postgresql@14/bin", "postgresql@9.6/bin", "postgresql/bin"];
        assert_eq!(names, expected.map(Path::new));
    }

    #[test]
    fn links_lead_to_the_directory_of_the_real_binaries() {
        let root = tempdir().expect("a directory");
        let root = root.path().canonicalize().expect("it exists");
        let (real, linked, client_only) = (root.join("real"), root.join("linked"), root.join("client"));
        for directory in [&real, &linked, &client_only] {
            fs::create_dir(directory).expect("a directory");
        }
        for program in ["postgres", "initdb"] {
            fs::write(real.join(program), "").expect("a file");
        }
        symlink(real.join("postgres"), linked.join("postgres")).expect("a link");
        fs::write(client_only.join("psql"), "").expect("a file");

        assert_eq!(resolve(&linked), Some(real.clone()));
        assert_eq!(resolve(&real), Some(real));
        assert_eq!(resolve(&client_only), None);
    }
}
