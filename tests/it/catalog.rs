//! Keeping the catalog fresh: the job that workers do every few minutes.

use std::time::Duration;

use accelbench_core::run::RunSpec;
use accelbench_hub::{Hub, Timeouts};
use accelbench_store::secrets::SecretKey;
use accelbench_store::{catalog_targets, models, seed};
use accelbench_tests::database::TestDatabase;
use accelbench_tests::hub_double::{COMMIT, HubDouble, configuration, description, refusal};
use accelbench_worker::CatalogOptions;
use accelbench_worker::jobs::{refresh_catalog, refresh_models};
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

/// Only the targets of this file: the Hub double knows their model alone.
async fn only_ours() -> TestDatabase {
    let database = database().await;
    sqlx::query("UPDATE catalog_targets SET enabled = false WHERE of_release")
        .execute(&database.pool)
        .await
        .unwrap();
    database
}

async fn look_up(database: &TestDatabase, hub: &HubDouble) {
    let hub = Hub::new(&hub.url, Timeouts::default()).unwrap();
    refresh_models::run(&database.pool, &hub, None).await.unwrap();
}

async fn commits(database: &TestDatabase) -> Vec<String> {
    let mut connection = database.pool.acquire().await.unwrap();
    models::revisions(&mut connection, &"Qwen/Qwen3-8B".parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_newest_commit_of_a_target_is_asked_for_once_a_day_and_runs_are_of_it() {
    let (database, hub) = (only_ours().await, HubDouble::with(description(), configuration()).await.unwrap());
    look_up(&database, &hub).await;
    assert_eq!(commits(&database).await, [COMMIT]);
    let asked = hub.asked().len();
    look_up(&database, &hub).await;
    assert_eq!(hub.asked().len(), asked, "a day has not passed");

    let options = CatalogOptions { budget_usd: Some(1.0), ..CatalogOptions::default() };
    refresh_catalog::run(&database.pool, &SecretKey::generate(), &options).await.unwrap();
    let revisions = "SELECT DISTINCT spec ->> 'revision' FROM runs";
    let revisions: Vec<String> = sqlx::query_scalar(revisions).fetch_all(&database.pool).await.unwrap();
    assert_eq!(revisions, [COMMIT]);
}

#[tokio::test]
async fn a_model_that_the_hub_refuses_is_asked_for_again_in_an_hour() {
    let database = only_ours().await;
    let hub = HubDouble::start(|_asked| refusal(404, "RepoNotFound", "Repository not found")).await.unwrap();
    look_up(&database, &hub).await;
    let error: Option<String> =
        sqlx::query_scalar("SELECT error FROM model_lookups WHERE model = 'Qwen/Qwen3-8B'")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert!(error.is_some_and(|error| error.contains("Qwen/Qwen3-8B")), "the reason is kept");
    let asked = hub.asked().len();
    look_up(&database, &hub).await;
    assert_eq!(hub.asked().len(), asked);
    sqlx::query("UPDATE model_lookups SET looked_up_at = now() - interval '61 minutes'")
        .execute(&database.pool)
        .await
        .unwrap();
    look_up(&database, &hub).await;
    assert!(hub.asked().len() > asked);
    assert!(commits(&database).await.is_empty());
}
