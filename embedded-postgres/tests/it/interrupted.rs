//! Servers and owners that die, and starts that are cut off: whatever they leave, the next start works.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Durability, Postmaster, stop_orphan};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use tokio::time::{sleep, timeout};

use crate::fixture::{DataDirectory, Owner, installation, is_running, sql, start};

#[tokio::test]
async fn a_server_that_was_killed_starts_again_with_what_was_committed() {
    let directory = DataDirectory::new();
    let options = ClusterOptions { durability: Durability::Full, ..directory.options() };
    let mut cluster = Cluster::start(&installation(), &options).await.unwrap();
    sql(&cluster.database_url(), "create table kept as select 7 as number").unwrap();
    kill(Pid::from_raw(cluster.postmaster().pid), Signal::SIGKILL).unwrap();
    assert!(!cluster.wait().await.unwrap().success());
    drop(cluster);

    let cluster = Cluster::start(&installation(), &options).await.unwrap();
    assert_eq!(sql(&cluster.database_url(), "select number from kept").unwrap(), "7");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_cluster_stops_by_itself_and_can_be_started_at_once() {
    let directory = DataDirectory::new();
    let cluster = start(&directory).await;
    let first = cluster.postmaster();
    drop(cluster);

    let cluster = start(&directory).await;
    assert!(!is_running(first.pid));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_owner_was_killed_is_replaced() {
    let directory = DataDirectory::new();
    let mut owner = Owner::spawn(&directory, None);
    let orphan = owner.wait_for_server(&directory).await;
    owner.kill();
    assert_eq!(Postmaster::find(directory.path()), Some(orphan));

    let cluster = start(&directory).await;
    assert!(!is_running(orphan.pid));
    assert_eq!(sql(&cluster.database_url(), "select 1").unwrap(), "1");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_owner_was_killed_can_be_stopped_for_good() {
    let directory = DataDirectory::new();
    let mut owner = Owner::spawn(&directory, None);
    let orphan = owner.wait_for_server(&directory).await;
    owner.kill();

    assert_eq!(stop_orphan(directory.path()).await.unwrap(), Some(orphan));
    assert!(!is_running(orphan.pid));
    assert_eq!(stop_orphan(directory.path()).await.unwrap(), None);
    assert_eq!(stop_orphan(&directory.path().join("missing")).await.unwrap(), None);
}

#[tokio::test]
async fn a_start_that_is_cut_off_at_any_moment_can_be_repeated() {
    let directory = DataDirectory::new();
    let (installation, options) = (installation(), directory.options());
    for cut_off_ms in [10, 60, 150, 300, 450, 600] {
        // Dropping the future is what Ctrl-C does to it.
        let _ = timeout(Duration::from_millis(cut_off_ms), Cluster::start(&installation, &options)).await;
    }
    let cluster = start(&directory).await;
    assert_eq!(sql(&cluster.database_url(), "select 1").unwrap(), "1");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_next_start_clears_away_what_an_interrupted_one_left() {
    let directory = DataDirectory::new();
    let leftover = directory.path().join("cluster.unfinished-0badcafe/base");
    fs::create_dir_all(&leftover).unwrap();
    fs::write(leftover.join("1"), "half a file").unwrap();
    start(&directory).await.stop().await.unwrap();
    assert_eq!(directory.unfinished_clusters(), 0);
}

#[tokio::test]
async fn a_cluster_whose_owner_was_killed_while_making_it_is_made_again() {
    let directory = DataDirectory::new();
    let mut owner = Owner::spawn(&directory, None);
    while directory.unfinished_clusters() == 0 {
        sleep(Duration::from_millis(2)).await;
    }
    owner.kill();

    let cluster = start(&directory).await;
    assert_eq!(sql(&cluster.database_url(), "select 1").unwrap(), "1");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_that_names_a_living_process_does_not_prevent_the_start() {
    let directory = DataDirectory::new();
    start(&directory).await.stop().await.unwrap();
    let cluster_directory = directory.path().join("cluster");
    let mut bystander = Command::new("sleep");
    bystander.arg("60");
    if geteuid().is_root() {
        // PostgreSQL is misled only by a process of its own account.
        bystander.uid(cluster_directory.metadata().unwrap().uid());
    }
    let mut bystander = bystander.spawn().unwrap();
    let pid_file =
        format!("{}\n{}\n1\n5432\n\n127.0.0.1\n1 1\nready\n", bystander.id(), cluster_directory.display());
    fs::write(cluster_directory.join("postmaster.pid"), pid_file).unwrap();

    let cluster = start(&directory).await;
    assert!(bystander.try_wait().unwrap().is_none(), "the bystander must not be harmed");
    cluster.stop().await.unwrap();
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}
