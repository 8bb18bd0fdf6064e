//! Making a cluster: in a directory of its own that is renamed when complete, so that one whose making was
//! interrupted at any point is simply made again.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process;

use crate::account::Account;
use crate::cluster::{DATABASE, Durability};
use crate::data_directory::DataDirectory;
use crate::server::last_lines;
use crate::{Error, Installation};

/// Makes the cluster with its account, password and database unless it is there already.
pub(super) async fn ensure(
    installation: &Installation,
    directory: &DataDirectory,
    account: &Account,
    durability: Durability,
) -> Result<(), Error> {
    directory.remove_unfinished_clusters()?;
    let cluster = directory.cluster();
    if cluster.is_dir() {
        return Ok(());
    }
    tracing::info!(directory = %cluster.display(), "making a new PostgreSQL cluster");
    let unfinished = directory.unfinished_cluster();
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(Error::io("create", &unfinished))?;
    account.own(&unfinished)?;

    let password_file = directory.renew_password(account)?;
    run_initdb(installation, account, &unfinished, &password_file, durability).await?;
    create_database(installation, account, &unfinished, durability).await?;

    fs::rename(&unfinished, &cluster).map_err(Error::io("move into place", &cluster))?;
    // The rename itself must survive a crash of the machine, as what it publishes was made to.
    File::open(directory.path())
        .and_then(|parent| parent.sync_all())
        .map_err(Error::io("sync", directory.path()))
}

async fn run_initdb(
    installation: &Installation,
    account: &Account,
    cluster: &Path,
    password_file: &Path,
    durability: Durability,
) -> Result<(), Error> {
    let mut command = account.command(installation.program("initdb"));
    command.arg("--pgdata").arg(cluster).arg("--pwfile").arg(password_file);
    // The C locale is there on every system and sorts the same on each.
    command.args(["--username", DATABASE, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    if durability == Durability::None {
        command.arg("--no-sync");
    }
    run("initdb", command, "").await
}

/// In single-user mode, which needs no server, no connection and no client program.
async fn create_database(
    installation: &Installation,
    account: &Account,
    cluster: &Path,
    durability: Durability,
) -> Result<(), Error> {
    let mut command = account.command(installation.program("postgres"));
    command.arg("--single").arg("-D").arg(cluster).args(["-c", "exit_on_error=on"]);
    if durability == Durability::None {
        command.arg("-F");
    }
    command.arg("postgres");
    run("postgres --single", command, &format!("CREATE DATABASE {DATABASE}\n")).await
}

async fn run(program: &'static str, command: Command, input: &str) -> Result<(), Error> {
    let path = PathBuf::from(command.get_program());
    let mut child = process::Command::from(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io("run", &path))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ended without reading says why in its output.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(Error::io("run", &path))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::Initialise {
        program,
        status: output.status,
        output: last_lines(&String::from_utf8_lossy(&text)),
    })
}
