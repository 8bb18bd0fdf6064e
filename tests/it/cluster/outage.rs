//! The cluster itself fails, under every run on it: these tests run alone.

use std::time::{Duration, Instant};

use accelbench_core::run::Verdict;
use accelbench_tests::cluster::{can_be_broken, fault};
use serde_json::json;
use tokio::time::sleep;

use super::{Scene, print_line};

const OUTAGE: Duration = Duration::from_mins(1);

/// Runs in every phase while the API server does not answer for a minute: one that loads, one that is being deployed,
/// one that is being torn down.
#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_api_server_that_is_away_for_a_minute_costs_no_run() {
    if !can_be_broken() {
        print_line("SKIPPED: ACCELBENCH_CLUSTER_FAULT names no tool that breaks this cluster");
        return;
    }
    let mut scene = Scene::new(json!({})).await;
    scene.start_worker();
    let (ending, loading) = (scene.submit().await, scene.submit().await);
    scene.installation.reach(&loading, "loading").await.unwrap();
    scene.started(&loading, "loadgen").await;
    scene.installation.reach(&ending, "loading").await.unwrap();
    scene.installation.post(&format!("/api/v1/runs/{ending}/cancel"), &json!({})).await.unwrap();
    fault(&["apiserver", "stop"]).unwrap();
    let since = Instant::now();
    let deploying = scene.submit().await;
    sleep(OUTAGE).await;
    fault(&["apiserver", "cont"]).unwrap();
    for (run_id, was, verdict) in [
        (&loading, "loading", Verdict::Succeeded),
        (&deploying, "deploying", Verdict::Succeeded),
        (&ending, "tearing down", Verdict::Cancelled),
    ] {
        let run = scene.finish(run_id).await;
        let took = since.elapsed().as_secs_f64();
        let found = run.phase.verdict().map_or("none", Verdict::as_str);
        print_line(&format!("MATRIX | API server away 60 s while {was} | {found} | {took:.1} s | -"));
        assert_eq!(
            run.phase.verdict(),
            Some(&verdict),
            "{was}: {:#?}",
            scene.installation.events(run_id).await
        );
    }
}
