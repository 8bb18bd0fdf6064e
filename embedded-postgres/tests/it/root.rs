//! What differs between root and an ordinary user. These do their work only where the tests run as root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Error, default_data_directory};
use nix::unistd::{User, geteuid};

use crate::fixture::{DataDirectory, Owner, installation, start};

#[tokio::test]
async fn a_server_that_root_starts_runs_under_another_account() {
    if !geteuid().is_root() {
        return;
    }
    let directory = DataDirectory::new();
    let cluster = start(&directory).await;
    let process = fs::metadata(format!("/proc/{}", cluster.postmaster().pid)).unwrap();
    assert_ne!(process.uid(), 0);
    assert_eq!(process.uid(), directory.path().join("cluster").metadata().unwrap().uid());
    assert_eq!(default_data_directory().unwrap(), Path::new("/var/lib/accelbench"));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn an_ordinary_user_runs_the_server_under_its_own_account() {
    if !geteuid().is_root() {
        return;
    }
    let nobody = User::from_name("nobody").unwrap().expect("every system has this account");
    let directory = DataDirectory::new();
    chown(directory.path(), Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    let mut owner = Owner::spawn(&directory, Some(&nobody));
    let server = owner.wait_for_server(&directory).await;
    assert_eq!(fs::metadata(format!("/proc/{}", server.pid)).unwrap().uid(), nobody.uid.as_raw());
    owner.kill();
}

#[tokio::test]
async fn root_serves_a_cluster_under_the_account_that_made_it() {
    if !geteuid().is_root() {
        return;
    }
    let nobody = User::from_name("nobody").unwrap().expect("every system has this account");
    let directory = DataDirectory::new();
    chown(directory.path(), Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    let mut owner = Owner::spawn(&directory, Some(&nobody));
    owner.wait_for_server(&directory).await;
    owner.kill();

    let cluster = start(&directory).await;
    let process = fs::metadata(format!("/proc/{}", cluster.postmaster().pid)).unwrap();
    assert_eq!(process.uid(), nobody.uid.as_raw());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_the_account_cannot_reach_is_refused_with_the_closed_ancestor() {
    if !geteuid().is_root() {
        return;
    }
    let directory = DataDirectory::new();
    let home = directory.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
    let outcome = Cluster::start(&installation(), &ClusterOptions::new(home.join("data"))).await;
    let Err(Error::Unreachable { ancestor, .. }) = outcome else {
        panic!("a closed directory was accepted: {outcome:?}");
    };
    assert_eq!(ancestor, home.canonicalize().unwrap());
}
