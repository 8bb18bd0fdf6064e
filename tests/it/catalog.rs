//! Keeping the catalog fresh: the job that workers do every few minutes.

use std::time::Duration;

use accelbench_core::run::RunSpec;
use accelbench_store::secrets::SecretKey;
use accelbench_store::{catalog_targets, seed};
use accelbench_tests::database::TestDatabase;
use accelbench_worker::CatalogOptions;
use accelbench_worker::jobs::refresh_catalog;
use serde_json::json;

/// Simulated, so that no target needs a cluster; those of the release do, and there is none.
fn spec(concurrency: u32) -> RunSpec {
    serde_json::from_value(json!({
        "model": "Qwen/Qwen3-8B", "instance_type": "g6e.xlarge",
        "platform": {"kind": "local", "engine": "simulator"}, "load_points": [{"concurrency": concurrency}],
    }))
    .unwrap()
}

async fn database() -> TestDatabase {
    let database = TestDatabase::create().await.unwrap();
    seed::seed(&database.pool).await.unwrap();
    let mut connection = database.pool.acquire().await.unwrap();
    for concurrency in [1, 2, 3] {
        catalog_targets::put(&mut connection, &spec(concurrency), Duration::from_hours(1)).await.unwrap();
    }
    drop(connection);
    database
}

async fn runs(database: &TestDatabase) -> i64 {
    let count =
        "SELECT count(*) FROM runs JOIN catalog_submissions USING (run_id) WHERE priority = 'catalog'";
    sqlx::query_scalar(count).fetch_one(&database.pool).await.unwrap()
}

#[tokio::test]
async fn without_a_budget_nothing_is_submitted() {
    let database = database().await;
    let options = CatalogOptions::default();
    refresh_catalog::run(&database.pool, &SecretKey::generate(), &options).await.unwrap();
    assert_eq!(runs(&database).await, 0);
}

#[tokio::test]
async fn refreshes_at_once_submit_each_target_once() {
    let database = database().await;
    let key = SecretKey::generate();
    let options = CatalogOptions { budget_usd: Some(1.0), ..CatalogOptions::default() };
    let refresh = || refresh_catalog::run(&database.pool, &key, &options);
    let (one, two, three) = tokio::join!(refresh(), refresh(), refresh());
    one.and(two).and(three).unwrap();
    assert_eq!(runs(&database).await, 3);
    refresh().await.unwrap();
    assert_eq!(runs(&database).await, 3, "what is under way is not submitted again");
}
