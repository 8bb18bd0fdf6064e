//! Each way in which the simulator goes wrong when asked to.

use std::time::Duration;

use accelbench_simulator::FaultOptions;
use serde_json::{Value, json};

use crate::harness::{Running, quick, recorded, start};

const PATH: &str = "/v1/completions";

async fn faulty(change: impl FnOnce(&mut FaultOptions)) -> Running {
    let mut options = quick();
    change(&mut options.faults);
    start(options).await
}

fn body(stream: bool) -> Value {
    json!({ "prompt": "Hello there", "max_tokens": 50, "ignore_eos": true, "stream": stream })
}

#[tokio::test]
async fn a_share_of_requests_is_answered_with_500() {
    let simulator = faulty(|faults| faults.error_share = 0.5).await;
    let mut failed = 0;
    for _ in 0..40 {
        let response = simulator.post(PATH, &body(true)).await;
        if response.status() == 500 {
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer["error"]["type"], "InternalServerError");
            failed += 1;
        }
    }
    assert!((8..=32).contains(&failed), "{failed}");
    let errors = simulator.metric("vllm:request_success_total{engine=\"0\",finished_reason=\"error\"").await;
    assert!((errors - f64::from(failed)).abs() < 1e-9);
}

#[tokio::test]
async fn a_cut_connection_breaks_in_the_middle_of_the_stream() {
    let simulator = faulty(|faults| faults.abort_share = 1.0).await;
    for _ in 0..10 {
        let stream = simulator.stream(PATH, &body(true)).await;
        assert!(stream.broken && (1..50).contains(&stream.events.len()), "{stream:?}");
    }
    let url = format!("{}{PATH}", simulator.base);
    let whole = simulator.client.post(url).json(&body(false)).send().await;
    assert!(whole.is_err(), "{whole:?}");
    simulator.wait_for_metric("vllm:num_requests_running", 0.0).await;
}

#[tokio::test]
async fn an_error_event_ends_the_stream_as_recorded() {
    let simulator = faulty(|faults| faults.error_event_share = 1.0).await;
    let stream = simulator.stream(PATH, &body(true)).await;
    assert!(!stream.broken);
    let (done, rest) = stream.events.split_last().unwrap();
    assert_eq!(done, "[DONE]");
    let event: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    let mut recorded = recorded("sse_engine_killed.txt").remove(0);
    // We say that it was asked for; all else is equal.
    recorded["error"]["message"] = event["error"]["message"].clone();
    assert_eq!(event, recorded);
    assert_eq!(simulator.post(PATH, &body(false)).await.status(), 500);
}

#[tokio::test]
async fn a_stall_is_one_long_gap_and_a_burst() {
    let simulator = faulty(|faults| {
        faults.stall_share = 1.0;
        faults.stall_ms = 300.0;
    })
    .await;
    let stream = simulator.stream(PATH, &body(true)).await;
    let long = stream.gaps().into_iter().filter(|gap| *gap > Duration::from_millis(200)).count();
    assert_eq!((long, stream.broken, stream.events.len()), (1, false, 51));
}

#[tokio::test]
async fn a_slow_start_answers_503_first() {
    let simulator = faulty(|faults| faults.start_delay_ms = 300).await;
    assert_eq!(simulator.get("/health").await.status(), 503);
    assert_eq!(simulator.get("/v1/models").await.status(), 503);
    assert_eq!(simulator.post(PATH, &body(false)).await.status(), 503);
    for _ in 0..200 {
        if simulator.get("/health").await.status() == 200 {
            assert_eq!(simulator.post(PATH, &body(false)).await.status(), 200);
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never became ready");
}
