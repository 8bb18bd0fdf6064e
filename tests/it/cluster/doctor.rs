//! The doctor on a real API server, as a worker and as somebody without rights.

use accelbench_core::finding::{Finding, FindingOutcome};
use accelbench_tests::installation::Installation;
use serde_json::{Value, json};
use tokio::process::Command;

use super::Scene;

async fn findings(scene: &Scene, settings: &std::path::Path) -> Vec<Finding> {
    let output = Command::new(Installation::program().unwrap())
        .args(["--server", &scene.installation.url, "doctor", "-o", "json", "--kubernetes"])
        .arg(settings)
        .env("KUBECONFIG", &scene.worker.kubeconfig)
        .output()
        .await
        .unwrap();
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(answer["findings"].take()).unwrap()
}

fn found<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.part == "cluster" && finding.check == check).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_workers_rights_are_enough_and_those_in_another_namespace_are_not() {
    let scene = Scene::new(json!({})).await;
    let looked = findings(&scene, &scene.worker.settings).await;
    assert_eq!(found(&looked, "reachable").outcome, FindingOutcome::Pass, "{looked:#?}");
    assert_eq!(found(&looked, "rights").outcome, FindingOutcome::Pass, "{looked:#?}");
    assert_eq!(found(&looked, "loadgen nodes").outcome, FindingOutcome::Pass, "its pool has no labels");

    let text = std::fs::read(&scene.worker.settings).unwrap();
    let mut settings: Value = serde_json::from_slice(&text).unwrap();
    settings["namespace"] = json!("kube-system");
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("cluster.json");
    std::fs::write(&elsewhere, settings.to_string()).unwrap();
    let looked = findings(&scene, &elsewhere).await;
    let rights = found(&looked, "rights");
    assert_eq!(rights.outcome, FindingOutcome::Fail, "{rights:?}");
    assert!(rights.found.contains("create leases") && !rights.found.contains("nodes"), "{rights:?}");
}
