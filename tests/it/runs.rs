//! Whole runs with the built program: success, and the death of workers in every phase.

use accelbench_core::run::Verdict;
use accelbench_tests::installation::{Installation, request};
use nix::sys::signal::{Signal, kill};
use serde_json::json;

/// An engine that takes a moment to start, so that a test can act meanwhile.
fn slow_engine() -> String {
    let program = Installation::program().unwrap();
    format!(
        "slow={} simulate --host {{host}} --port {{port}} --model {{model}} --timing fixed --ttft-ms 20 --itl-ms 5 --start-delay-ms 1500",
        program.display()
    )
}

async fn succeeded_with_one_set_of_results(installation: &Installation, run_id: &str) {
    let run = installation.finish(run_id).await.unwrap();
    let events = installation.events(run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let results = installation.results(run_id).await.unwrap();
    let concurrencies: Vec<_> =
        results.iter().map(|result| result["offered_load"]["concurrency"].clone()).collect();
    assert_eq!(concurrencies, [json!(1), json!(2)]);
    assert_eq!(installation.run_processes().unwrap(), Vec::<i32>::new(), "processes of the run are left");
    let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>(), "the timeline has gaps");
}

#[tokio::test]
async fn a_run_goes_from_submit_to_results_and_leaves_nothing() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    succeeded_with_one_set_of_results(&installation, &run_id).await;

    let result = &installation.results(&run_id).await.unwrap()[0];
    assert_eq!(result["provenance"]["origin"], "simulated");
    assert_eq!(result["report"]["output_tokens"]["mean"], 8.0);
    assert_eq!(result["report"]["input_tokens"]["mean"], 16.0);
    let measured = installation.get("/api/v1/catalog?include_invalid=true").await.unwrap();
    assert_eq!(measured["results"], json!([]), "simulated results stand among measured ones");
    let simulated = installation.get("/api/v1/catalog?include_invalid=true&origin=simulated").await.unwrap();
    assert_eq!(simulated["results"].as_array().unwrap().len(), 2);
    let page = installation.get(&format!("/runs/{run_id}")).await.unwrap();
    assert!(page.as_str().unwrap().contains("SIMULATED"));
    let log = installation.get(&format!("/api/v1/runs/{run_id}/logs/loadgen")).await.unwrap();
    assert!(log.as_str().unwrap().contains("acknowledged"), "{log}");
}

/// The worker is killed as soon as the run is seen in `phase`; another one, started before, carries on.
async fn survives_the_death_of_its_worker(phase: &str) {
    let mut installation = Installation::start().await.unwrap();
    let engine = slow_engine();
    let first = installation.start_worker(&[&engine]).unwrap();
    let run_id = installation.submit(&request("slow")).await.unwrap();
    installation.reach(&run_id, phase).await.unwrap();
    kill(first, Signal::SIGKILL).unwrap();
    installation.start_worker(&[&engine]).unwrap();
    succeeded_with_one_set_of_results(&installation, &run_id).await;
}

#[tokio::test]
async fn a_worker_killed_while_deploying_costs_seconds() {
    survives_the_death_of_its_worker("deploying").await;
}

#[tokio::test]
async fn a_worker_killed_while_the_engine_starts_costs_seconds() {
    survives_the_death_of_its_worker("awaiting_ready").await;
}

#[tokio::test]
async fn a_worker_killed_while_loading_costs_seconds() {
    survives_the_death_of_its_worker("loading").await;
}

#[tokio::test]
async fn a_worker_killed_after_the_last_report_costs_seconds() {
    survives_the_death_of_its_worker("recording").await;
}

#[tokio::test]
async fn a_worker_killed_while_tearing_down_costs_seconds() {
    survives_the_death_of_its_worker("tearing_down").await;
}

#[tokio::test]
async fn a_worker_that_wakes_up_after_losing_its_lease_changes_nothing() {
    let mut installation = Installation::start().await.unwrap();
    let engine = slow_engine();
    let sleeper = installation.start_worker(&[&engine]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    installation.reach(&run_id, "loading").await.unwrap();
    kill(sleeper, Signal::SIGSTOP).unwrap();
    installation.start_worker(&[&engine]).unwrap();
    let finished = installation.finish(&run_id).await;
    kill(sleeper, Signal::SIGCONT).unwrap();
    let before = installation.events(&run_id).await.unwrap();
    assert!(finished.is_ok(), "{before:#?}");
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(installation.events(&run_id).await.unwrap(), before);
    succeeded_with_one_set_of_results(&installation, &run_id).await;
}
