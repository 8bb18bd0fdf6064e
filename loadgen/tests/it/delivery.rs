use accelbench_core::dataset::Sha256Hex;
use axum::http::StatusCode;

use crate::mock_api::Answers;
use crate::mock_engine::{Answer, MockEngine, PLAIN, good};
use crate::scene::{plan, play};

async fn engine() -> MockEngine {
    MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_sent_until_it_is_acknowledged() {
    let refusals = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
    let answers = Answers { reports: refusals.into(), ..Answers::default() };
    let (outcome, heard) = play(plan(&engine().await, &[1]), answers).await;
    outcome.unwrap();
    assert_eq!((heard.attempts, heard.reports.len()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_there_already_is_acknowledged_too() {
    let answers = Answers { reports: [StatusCode::OK].into(), ..Answers::default() };
    let (outcome, heard) = play(plan(&engine().await, &[1]), answers).await;
    outcome.unwrap();
    assert_eq!((heard.attempts, heard.failures.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_refused_for_good_ends_the_run() {
    let answers = Answers { reports: [StatusCode::CONFLICT].into(), ..Answers::default() };
    let (outcome, heard) = play(plan(&engine().await, &[1, 2]), answers).await;
    assert!(outcome.unwrap_err().to_string().contains("409"));
    assert_eq!((heard.attempts, heard.failures.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_load_ends_when_the_run_is_over() {
    // The first progress tells that prompts are being cut, the second that requests are under way.
    let answers =
        Answers { progress: [StatusCode::NO_CONTENT, StatusCode::GONE].into(), ..Answers::default() };
    let mut plan = plan(&engine().await, &[1]);
    plan.measurement.min_duration_s = 3600.0;
    let (outcome, heard) = play(plan, answers).await;
    assert!(outcome.unwrap_err().to_string().contains("the run is over"));
    assert_eq!((heard.attempts, heard.failures.len(), heard.progress.len()), (0, 0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_waited_for_and_what_is_reported_is_skipped() {
    let answers = Answers { plan: [StatusCode::BAD_GATEWAY].into(), ..Answers::default() };
    let mut plan = plan(&engine().await, &[1, 2, 3]);
    plan.reported = vec![0, 2];
    let (outcome, heard) = play(plan, answers).await;
    outcome.unwrap();
    let reported: Vec<_> = heard
        .reports
        .iter()
        .map(|(index, report)| (*index, report.offered_load.concurrency().unwrap()))
        .collect();
    assert_eq!(reported, [(1, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_with_another_hash_is_not_used() {
    let mut plan = plan(&engine().await, &[1]);
    plan.dataset_sha256 = Sha256Hex::of(b"another");
    let (outcome, heard) = play(plan, Answers::default()).await;
    assert!(outcome.unwrap_err().to_string().contains("hash"));
    assert!(heard.failures[0].contains("hash"), "{:?}", heard.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_another_release_is_told() {
    let mut plan = plan(&engine().await, &[1]);
    plan.schema_version = 99;
    let (outcome, heard) = play(plan, Answers::default()).await;
    assert!(outcome.is_err());
    assert!(heard.failures[0].contains("schema version 99"), "{:?}", heard.failures);
}
