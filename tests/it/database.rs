//! The harness itself: databases that do not see each other, and a server that comes and goes by itself.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use accelbench_embedded_postgres::Postmaster;
use accelbench_tests::database::leftovers::{self, sweep};
use accelbench_tests::database::{SharedServer, StateDirectory, TestDatabase};
use chrono::{TimeDelta, Utc};
use futures::future::try_join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use sysinfo::{ProcessesToUpdate, System};
use tempfile::TempDir;
use tokio::time::sleep;
use uuid::{NoContext, Timestamp, Uuid};

/// How long a server of these tests stays without clients.
const IDLE_LIMIT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn each_database_has_the_schema_and_sees_nothing_of_the_others() {
    let (first, second) = (TestDatabase::create().await.unwrap(), TestDatabase::create().await.unwrap());
    first.pool.execute("CREATE TABLE only_here ()").await.unwrap();
    for (database, expected) in [(&first, true), (&second, false)] {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        let found: (bool, bool) =
            sqlx::query_as("SELECT to_regclass('only_here') IS NOT NULL, to_regclass('runs') IS NOT NULL")
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!(found, (expected, true));
    }
}

#[tokio::test]
async fn a_database_ends_with_its_value_even_while_somebody_is_connected() {
    let dropped = TestDatabase::create().await.unwrap();
    let removed = TestDatabase::create().await.unwrap();
    let urls = [dropped.url.clone(), removed.url.clone()];
    let mut client = PgConnection::connect(&dropped.url).await.unwrap();
    drop(dropped);
    removed.remove().await.unwrap();
    assert!(client.ping().await.is_err());
    for url in urls {
        let error = PgConnection::connect(&url).await.unwrap_err().to_string();
        assert!(error.contains("does not exist"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_a_killed_test_left_is_swept_after_an_hour() {
    let server = PrivateServer::new();
    let (_, mut admin) = server.shared.connect().await.unwrap();
    let now = Utc::now();
    let name_made_at = |minutes_ago: i64| {
        let made = (now - TimeDelta::minutes(minutes_ago)).timestamp();
        let id = Uuid::new_v7(Timestamp::from_unix(NoContext, made.cast_unsigned(), 0));
        format!("{}{}", leftovers::PREFIX, id.simple())
    };
    let (old, young) = (name_made_at(61), name_made_at(59));
    for name in [&old, &young] {
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    }

    assert_eq!(sweep(&mut admin, now).await.unwrap(), 1);
    let left: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)")
            .bind(leftovers::PREFIX)
            .fetch_all(&mut admin)
            .await
            .unwrap();
    assert_eq!(left, [young]);
}

#[tokio::test]
async fn tests_that_start_at_once_share_one_server() {
    let server = PrivateServer::new();
    let connections = try_join_all((0..6).map(|_| server.shared.connect())).await.unwrap();
    let urls: Vec<&String> = connections.iter().map(|(url, _)| url).collect();
    assert!(urls.iter().all(|url| *url == urls[0]), "{urls:?}");
}

#[tokio::test]
async fn the_server_stays_while_it_is_used_then_stops_and_comes_back_on_demand() {
    let server = PrivateServer::new();
    let (_, mut connection) = server.shared.connect().await.unwrap();
    // The one thing here that takes real time: another process has to stay idle for it.
    sleep(IDLE_LIMIT * 3).await;
    connection.ping().await.unwrap();
    let first = server.postmaster().expect("the server runs");
    connection.close().await.unwrap();

    while server.postmaster().is_some() || server.directory.published_url().is_some() {
        sleep(Duration::from_millis(20)).await;
    }
    let (_, mut connection) = server.shared.connect().await.unwrap();
    connection.ping().await.unwrap();
    assert_ne!(server.postmaster(), Some(first));
}

#[tokio::test]
async fn clients_that_come_while_the_server_stops_get_the_next_one() {
    let server = PrivateServer::new();
    // Around the moment at which the guard decides, which only a real pause can hit.
    for offset_ms in [0, 60, 120, 180] {
        let (_, mut connection) = server.shared.connect().await.unwrap();
        connection.execute("SELECT 1").await.unwrap();
        connection.close().await.unwrap();
        sleep(IDLE_LIMIT + Duration::from_millis(offset_ms)).await;
    }
    let (_, mut connection) = server.shared.connect().await.unwrap();
    connection.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_guard_was_killed_is_replaced() {
    let server = PrivateServer::new();
    let (_, connection) = server.shared.connect().await.unwrap();
    let orphan = server.postmaster().expect("the server runs");
    kill(Pid::from_raw(parent(orphan.pid)), Signal::SIGKILL).unwrap();
    drop(connection);
    while server.directory.published_url().is_some() {
        sleep(Duration::from_millis(5)).await;
    }

    let (_, mut connection) = server.shared.connect().await.unwrap();
    connection.ping().await.unwrap();
    assert_ne!(server.postmaster(), Some(orphan));
}

/// A guarded server of this test alone.
struct PrivateServer {
    shared: SharedServer,
    directory: StateDirectory,
    _files: TempDir,
}

impl PrivateServer {
    fn new() -> Self {
        let files = TempDir::new().expect("a temporary directory");
        // The account that runs the server for root has to get in.
        fs::set_permissions(files.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let directory = StateDirectory::open(files.path()).expect("it is ours");
        Self { shared: SharedServer::Guarded(directory.clone(), IDLE_LIMIT), directory, _files: files }
    }

    fn postmaster(&self) -> Option<Postmaster> {
        Postmaster::find(&self.directory.data_directory())
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        if let Some(server) = self.postmaster() {
            let _ = kill(Pid::from_raw(server.pid), Signal::SIGQUIT);
        }
    }
}

fn parent(pid: i32) -> i32 {
    let pid = sysinfo::Pid::from_u32(pid.cast_unsigned());
    let mut system = System::new().expect("the processes of this machine can be listed");
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    let parent = system.process(pid).and_then(sysinfo::Process::parent).expect("it has a parent");
    parent.as_u32().cast_signed()
}
