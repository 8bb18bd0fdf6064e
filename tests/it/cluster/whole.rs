//! A run from its submission to its end.

use accelbench_core::run::Verdict;

use super::{Scene, print_line};

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_run_is_deployed_measured_recorded_and_gone() {
    let mut scene = Scene::new(serde_json::json!({})).await;
    scene.start_worker();
    let run_id = scene.submit().await;
    scene.installation.reach(&run_id, "loading").await.unwrap();
    let objects = scene.cluster.objects(Some(&run_id)).unwrap();
    let run = scene.finish(&run_id).await;
    assert_eq!(
        run.phase.verdict(),
        Some(&Verdict::Succeeded),
        "{:#?}",
        scene.installation.events(&run_id).await
    );
    print_line(&format!("objects of a run: {}\n{}", objects.len(), objects.join("\n")));

    let results = scene.installation.results(&run_id).await.unwrap();
    assert_eq!(results.len(), 2);
    let provenance = &results[0]["provenance"];
    assert_eq!((&provenance["platform"], &provenance["origin"]), (&"kubernetes".into(), &"simulated".into()));
    assert!(provenance["engine_arguments"]["value"][0].is_string(), "{provenance}");
    assert!(provenance["ami"]["absent"].as_str().unwrap().contains("node claim"), "{provenance}");
    let events = scene.installation.events(&run_id).await.unwrap();
    let released = events.iter().filter(|event| event.message.contains("is free for the next run"));
    assert_eq!(released.count(), 1, "{events:#?}");
    // The pods are gone, what they wrote is not.
    for source in ["engine", "loadgen"] {
        let log = scene.installation.get(&format!("/api/v1/runs/{run_id}/logs/{source}")).await.unwrap();
        assert!(!log.as_str().unwrap_or(&log.to_string()).is_empty(), "{source}");
    }
    for event in events {
        print_line(&format!("{} {:?} {}", event.at.format("%H:%M:%S%.3f"), event.kind, event.message));
    }
}
