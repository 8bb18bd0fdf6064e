use std::time::Duration;

use accelbench_core::load::{ErrorClass, LoadPlan};
use accelbench_core::validity::Outcome;
use serde_json::{Value, json};

use crate::mock_api::Answers;
use crate::mock_engine::{Answer, MockEngine, PLAIN, Step, good};
use crate::scene::{check, plan, play, play_one};

/// Each class of error now and then among good answers.
fn now_and_then(number: usize, body: &Value) -> Answer {
    let token = || Step::Event(json!({"choices": [{"text": "a", "finish_reason": null}]}).to_string());
    let event = |data: &str| Step::Event(data.to_owned());
    match number % 32 {
        2 | 18 => Answer::Status(500, "out of memory"),
        4 | 20 => Answer::Status(400, "prompt too long"),
        6 | 22 => Answer::Stream(vec![token(), event(r#"{"error":{"message":"died"}}"#), event("[DONE]")]),
        8 => Answer::Stream(vec![token(), Step::Wait(Duration::from_millis(20)), Step::Abort]),
        10 | 24 | 26 => Answer::Stream(vec![token()]),
        12 | 28 => Answer::Stream(vec![token(), event("{not json")]),
        14 | 30 => Answer::Stream(vec![
            event(
                r#"{"choices":[{"text":"","finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":0}}"#,
            ),
            event("[DONE]"),
        ]),
        15 => Answer::Stream(vec![token(), Step::Hang]),
        _ => Answer::Stream(good(body, PLAIN)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_counted_by_class_and_are_in_no_latency() {
    let engine = MockEngine::start(now_and_then).await;
    let mut plan = plan(&engine, &[8]);
    plan.measurement.min_requests = 200;
    let report = play_one(plan).await;
    for class in [
        ErrorClass::ServerError,
        ErrorClass::Refused,
        ErrorClass::ErrorEvent,
        ErrorClass::Incomplete,
        ErrorClass::Malformed,
        ErrorClass::NoTokens,
        ErrorClass::Timeout,
    ] {
        assert!(report.requests_failed.contains_key(&class), "{class:?}: {:?}", report.requests_failed);
    }
    assert_eq!(report.ttft_ms.count, report.requests_completed);
    assert!(report.output_tokens.min > 7.5, "{:?}", report.output_tokens);
    assert!(report.e2e_ms.max < 1000.0, "a request that timed out is in the latencies: {:?}", report.e2e_ms);
    assert!((0.3..0.7).contains(&report.error_share()), "{}", report.error_share());
    assert_eq!(check(&report, "error_share").outcome, Outcome::Fail);
}

async fn reason_of_failure(plan: LoadPlan) -> String {
    let (outcome, heard) = play(plan, Answers::default()).await;
    let error = format!("{:#}", outcome.unwrap_err());
    assert_eq!((heard.failures.as_slice(), heard.reports.len()), ([error.clone()].as_slice(), 0));
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_only_fails_ends_the_load_early_in_plain_words() {
    let engine = MockEngine::start(|_, _| Answer::Status(503, "model is overloaded")).await;
    let reason = reason_of_failure(plan(&engine, &[4])).await;
    assert!(reason.contains("concurrency 4") && reason.contains("model is overloaded"), "{reason}");
    assert!(engine.requests().len() < 70, "{}", engine.requests().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_refuses_everything_is_found_out_before_the_load() {
    let engine = MockEngine::start(|_, _| Answer::Status(404, "the model `mock` does not exist")).await;
    let reason = reason_of_failure(plan(&engine, &[4])).await;
    assert!(reason.contains("does not exist"), "{reason}");
    assert_eq!(engine.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_usage_cannot_be_measured() {
    let engine = MockEngine::start(|_, _| {
        let token = json!({"choices": [{"text": "a", "finish_reason": "length"}]}).to_string();
        Answer::Stream(vec![Step::Event(token), Step::Event("[DONE]".to_owned())])
    })
    .await;
    let reason = reason_of_failure(plan(&engine, &[2])).await;
    assert!(reason.contains("no usage"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_there_is_told() {
    let engine = MockEngine::start(now_and_then).await;
    let mut plan = plan(&engine, &[2]);
    // Nobody listens on the port that was given to discarding.
    plan.base_url = "http://127.0.0.1:9/".parse().unwrap();
    let reason = reason_of_failure(plan).await;
    assert!(reason.contains("does not answer"), "{reason}");
}
