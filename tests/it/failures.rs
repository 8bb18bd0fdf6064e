//! Runs that end without results: each has one reason, and leaves nothing.

use accelbench_core::run::{Run, Verdict};
use accelbench_tests::installation::{Installation, request};
use serde_json::json;

async fn ended(installation: &Installation, run_id: &str) -> Run {
    let run = installation.finish(run_id).await.unwrap();
    assert_eq!(installation.results(run_id).await.unwrap().len(), 0);
    assert_eq!(installation.run_processes().unwrap(), Vec::<i32>::new(), "processes of the run are left");
    run
}

fn reason(run: &Run) -> &str {
    run.phase.verdict().and_then(Verdict::reason).unwrap_or("no reason")
}

#[tokio::test]
async fn an_engine_that_exits_fails_the_run_with_its_last_words() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&["broken=sh -c 'echo no such weights; exit 3 # {port}'"]).unwrap();
    let run_id = installation.submit(&request("broken")).await.unwrap();
    let run = ended(&installation, &run_id).await;
    assert!(
        reason(&run).contains("exit code 3") && reason(&run).contains("no such weights"),
        "{}",
        reason(&run)
    );
}

#[tokio::test]
async fn an_engine_that_never_becomes_ready_fails_the_run_at_its_deadline() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&["deaf=sh -c 'sleep 600 # {port}'"]).unwrap();
    let run_id = installation.submit(&request("deaf")).await.unwrap();
    installation.reach(&run_id, "awaiting_ready").await.unwrap();
    // The deadline is brought near, as if the time had passed.
    let sql = "UPDATE runs SET deadline_at = now()";
    sqlx::query(sql).execute(&installation.database.pool).await.unwrap();
    let run = ended(&installation, &run_id).await;
    assert!(reason(&run).contains("time limit"), "{}", reason(&run));
}

#[tokio::test]
async fn a_run_is_cancelled_while_loading() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    installation.reach(&run_id, "loading").await.unwrap();
    let (status, _) = installation.post(&format!("/api/v1/runs/{run_id}/cancel"), &json!({})).await.unwrap();
    assert_eq!(status, 202);
    let run = ended(&installation, &run_id).await;
    assert_eq!(run.phase.verdict(), Some(&Verdict::Cancelled));
}

#[tokio::test]
async fn a_queued_run_is_cancelled_without_an_engine_ever_starting() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let first = installation.submit(&request("simulator")).await.unwrap();
    let second = installation.submit(&request("simulator")).await.unwrap();
    installation.post(&format!("/api/v1/runs/{second}/cancel"), &json!({})).await.unwrap();
    let run = installation.finish(&second).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Cancelled));
    let events = installation.events(&second).await.unwrap();
    assert!(events.iter().all(|event| event.phase != "deploying"), "{events:#?}");
    assert_eq!(installation.finish(&first).await.unwrap().phase.verdict(), Some(&Verdict::Succeeded));
}
