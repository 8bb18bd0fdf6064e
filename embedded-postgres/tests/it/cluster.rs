//! A cluster in good health, and what stands in its way.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Error, stop_orphan};

use crate::fixture::{DataDirectory, installation, is_running, sql, start};

#[tokio::test]
async fn a_new_directory_becomes_a_server_and_a_restart_keeps_its_data() {
    let directory = DataDirectory::new();
    let cluster = start(&directory).await;
    let url = cluster.database_url();
    sql(&url, "create extension hstore; create extension pgcrypto; create table kept as select 7 as number")
        .unwrap();
    assert_eq!(sql(&url, "show listen_addresses").unwrap(), "127.0.0.1");
    assert_eq!(sql(&url, "show server_encoding").unwrap(), "UTF8");
    let first = cluster.postmaster();
    cluster.stop().await.unwrap();
    assert!(!is_running(first.pid));

    let cluster = start(&directory).await;
    assert_ne!(cluster.postmaster().pid, first.pid);
    assert_eq!(sql(&cluster.database_url(), "select number from kept").unwrap(), "7");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn only_the_password_opens_the_server_and_only_its_account_reads_the_password() {
    let directory = DataDirectory::new();
    let cluster = start(&directory).await;
    let url = cluster.database_url();
    let password = fs::read_to_string(directory.path().join("password")).unwrap();
    let wrong = url.replace(password.trim(), "wrong");
    assert_ne!(wrong, url);
    assert!(sql(&wrong, "select 1").unwrap_err().contains("password authentication failed"));
    assert!(!format!("{cluster:?}").contains(password.trim()));
    assert_eq!(directory.path().join("password").metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(directory.path().join("cluster").metadata().unwrap().mode() & 0o777, 0o700);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn durability_is_given_up_only_on_request() {
    let directory = DataDirectory::new();
    let cluster = start(&directory).await;
    assert_eq!(sql(&cluster.database_url(), "show fsync").unwrap(), "off");
    cluster.stop().await.unwrap();

    let options = ClusterOptions { max_connections: 17, ..ClusterOptions::new(directory.path()) };
    let cluster = Cluster::start(&installation(), &options).await.unwrap();
    assert_eq!(sql(&cluster.database_url(), "show fsync").unwrap(), "on");
    assert_eq!(sql(&cluster.database_url(), "show max_connections").unwrap(), "17");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_owner_is_told_which_server_runs_there() {
    let directory = DataDirectory::new();
    let cluster = start(&directory).await;
    let second = Cluster::start(&installation(), &directory.options()).await;
    let Err(Error::AlreadyRunning { postmaster, .. }) = second else {
        panic!("two owners of one directory: {second:?}");
    };
    assert_eq!(postmaster, Some(cluster.postmaster()));
    assert!(matches!(stop_orphan(directory.path()).await, Err(Error::AlreadyRunning { .. })));
    assert_eq!(sql(&cluster.database_url(), "select 1").unwrap(), "1");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused_and_left_alone() {
    let directory = DataDirectory::new();
    start(&directory).await.stop().await.unwrap();
    fs::write(directory.path().join("cluster/PG_VERSION"), "13\n").unwrap();
    let outcome = Cluster::start(&installation(), &directory.options()).await;
    let Err(Error::VersionMismatch { cluster: 13, installation: major_version, .. }) = outcome else {
        panic!("the wrong version was accepted: {outcome:?}");
    };
    assert_eq!(major_version, installation().major_version());
}

#[tokio::test]
async fn a_port_that_is_taken_is_reported_with_the_servers_own_words() {
    let directory = DataDirectory::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let options = ClusterOptions { port: Some(listener.local_addr().unwrap().port()), ..directory.options() };
    let outcome = Cluster::start(&installation(), &options).await;
    let Err(Error::StoppedWhileStarting { log, .. }) = outcome else {
        panic!("a taken port was accepted: {outcome:?}");
    };
    assert!(log.contains("Address already in use"), "{log}");
}

#[tokio::test]
async fn a_lost_password_is_reported_with_its_file() {
    let directory = DataDirectory::new();
    start(&directory).await.stop().await.unwrap();
    fs::remove_file(directory.path().join("password")).unwrap();
    let outcome = Cluster::start(&installation(), &directory.options()).await;
    assert!(matches!(outcome, Err(Error::PasswordMissing { .. })), "{outcome:?}");
}
