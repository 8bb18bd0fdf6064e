//! The cluster itself fails, or the way to it, under every run on it: these tests run alone.

use std::time::{Duration, Instant};

use accelbench_core::run::Verdict;
use accelbench_tests::cluster::{can_be_broken, fault};
use serde_json::json;
use tokio::time::sleep;

use super::faults::survived;
use super::{Scene, print_line};

const OUTAGE: Duration = Duration::from_mins(1);

/// Runs in every phase while the API server does not answer for a minute: one that loads, one that is being deployed,
/// one whose engine is awaited, one that is being torn down. Recording asks nothing of the cluster.
#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_api_server_that_is_away_for_a_minute_costs_no_run() {
    if !can_be_broken() {
        print_line("SKIPPED: ACCELBENCH_CLUSTER_FAULT names no tool that breaks this cluster");
        return;
    }
    let mut scene = Scene::new(json!({"simulator_image": "registry.test/slow:1"})).await;
    scene.start_worker();
    let (ending, loading) = (scene.submit().await, scene.submit().await);
    scene.installation.reach(&loading, "loading").await.unwrap();
    scene.started(&loading, "loadgen").await;
    scene.installation.reach(&ending, "loading").await.unwrap();
    scene.installation.post(&format!("/api/v1/runs/{ending}/cancel"), &json!({})).await.unwrap();
    let awaiting = scene.submit().await;
    scene.started(&awaiting, "engine").await;
    fault(&["apiserver", "stop"]).unwrap();
    let since = Instant::now();
    let deploying = scene.submit().await;
    sleep(OUTAGE).await;
    fault(&["apiserver", "cont"]).unwrap();
    for (run_id, was, verdict) in [
        (&loading, "loading", Verdict::Succeeded),
        (&deploying, "deploying", Verdict::Succeeded),
        (&awaiting, "awaiting readiness", Verdict::Succeeded),
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

/// The API server answers reads from its cache, if at all, and takes no write.
#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_store_that_stands_still_costs_no_run() {
    if !can_be_broken() {
        print_line("SKIPPED: ACCELBENCH_CLUSTER_FAULT names no tool that breaks this cluster");
        return;
    }
    let mut scene = Scene::new(json!({})).await;
    scene.start_worker();
    let loading = scene.submit().await;
    scene.started(&loading, "loadgen").await;
    fault(&["etcd", "stop"]).unwrap();
    let since = Instant::now();
    let deploying = scene.submit().await;
    sleep(Duration::from_secs(20)).await;
    fault(&["etcd", "cont"]).unwrap();
    for (run_id, was) in [(&loading, "loading"), (&deploying, "deploying")] {
        survived(&scene, &format!("etcd still for 20 s while {was}"), run_id, since).await;
    }
}
