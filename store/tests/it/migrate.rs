//! Bringing databases to this version's schema.

use std::net::TcpListener;

use accelbench_store::{Error, PgPool, connect, migrate};
use accelbench_tests::database::{TestDatabase, leftovers};
use sqlx::AssertSqlSafe;
use url::Url;
use uuid::Uuid;

/// A database without any schema, beside the test's own.
struct Empty {
    server: TestDatabase,
    name: String,
}

impl Empty {
    async fn create() -> Self {
        let server = TestDatabase::create().await.unwrap();
        // The harness sweeps up what is named like its own.
        let name = format!("{}{}", leftovers::PREFIX, Uuid::now_v7().simple());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        sqlx::query(AssertSqlSafe(create)).execute(&server.pool).await.unwrap();
        Self { server, name }
    }

    async fn pool(&self, max_connections: u32) -> PgPool {
        let mut url = Url::parse(&self.server.url).unwrap();
        url.set_path(&self.name);
        connect(url.as_str(), max_connections).await.unwrap()
    }

    async fn remove(self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        sqlx::query(AssertSqlSafe(drop)).execute(&self.server.pool).await.unwrap();
    }
}

async fn applied(pool: &PgPool) -> (i64, i64) {
    let counts =
        "SELECT (SELECT count(*) FROM _sqlx_migrations), (SELECT count(*) FROM apalis._sqlx_migrations)";
    sqlx::query_as(counts).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_second_migration_changes_nothing() {
    let database = TestDatabase::create().await.unwrap();
    let before = applied(&database.pool).await;
    assert!(before.0 >= 4 && before.1 >= 20, "{before:?}");
    migrate(&database.pool).await.unwrap();
    assert_eq!(applied(&database.pool).await, before);
}

#[tokio::test]
async fn four_processes_migrate_an_empty_database_at_once() {
    let empty = Empty::create().await;
    let migrations = (0..4).map(|_| async {
        // One connection is enough: nothing waits for a second one.
        let pool = empty.pool(1).await;
        let outcome = migrate(&pool).await;
        pool.close().await;
        outcome
    });
    for outcome in futures::future::join_all(migrations).await {
        outcome.unwrap();
    }
    let pool = empty.pool(1).await;
    assert_eq!(applied(&pool).await, applied(&empty.server.pool).await);
    pool.close().await;
    empty.remove().await;
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let database = TestDatabase::create().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', true, '\\x00', 0)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let refused = migrate(&database.pool).await;
    assert!(matches!(refused, Err(Error::Migration(_))), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_transient_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = connect(&format!("postgres://nobody@127.0.0.1:{port}/none"), 1).await;
    assert!(outcome.unwrap_err().is_transient());
}
