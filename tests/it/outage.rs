//! The database goes away while a run is under way: nothing is lost and nothing doubled.

use std::time::Duration;

use accelbench_core::run::Verdict;
use accelbench_tests::database::TestDatabase;
use accelbench_tests::installation::{Installation, request};
use accelbench_tests::outage::Cable;
use serde_json::json;
use tokio::time::sleep;

/// Longer than a lease, and than the load needs: reports become due while nobody can take them.
const OUTAGE: Duration = Duration::from_secs(12);

#[tokio::test]
async fn a_database_that_is_away_while_loading_costs_no_result() {
    let database = TestDatabase::create().await.unwrap();
    let (cable, url) = Cable::to(&database.url).await.unwrap();
    let mut installation = Installation::start_on(database, url).await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    installation.reach(&run_id, "loading").await.unwrap();

    cable.cut();
    let health =
        async |path: &str| reqwest::get(format!("{}{path}", installation.url)).await.unwrap().status();
    installation
        .until("the server says that it is not ready", async || Ok(health("/readyz").await == 503))
        .await
        .unwrap();
    assert_eq!(health("/healthz").await, 200, "a server without its database must not be restarted");
    sleep(OUTAGE).await;
    cable.mend();

    let run = installation.finish(&run_id).await.unwrap();
    let events = installation.events(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let points: Vec<_> = installation.results(&run_id).await.unwrap();
    let points: Vec<_> = points.iter().map(|result| &result["offered_load"]["concurrency"]).collect();
    assert_eq!(points, [&json!(1), &json!(2)]);
    assert_eq!(installation.run_processes().unwrap(), Vec::<i32>::new());
}
