//! Start, clients that leave, shutdown and death.

use std::time::{Duration, Instant};

use accelbench_simulator::{Error, SimulatorOptions, Timing, bind};
use serde_json::{Value, json};

use crate::harness::{quick, read_stream, start};

const PATH: &str = "/v1/completions";

fn long_body(stream: bool) -> Value {
    json!({ "prompt": "Hello there", "max_tokens": 4000, "ignore_eos": true, "stream": stream })
}

#[tokio::test]
async fn a_model_that_does_not_fit_does_not_start() {
    let mut options = SimulatorOptions { port: 0, ..SimulatorOptions::default() };
    options.model_facts.params_b = 70.6;
    let refused = bind(&options).await;
    assert!(matches!(refused, Err(Error::WeightsDoNotFit { .. })), "{refused:?}");
    // Without modelled hardware there is nothing that it must fit into.
    options.timing = Timing::Fixed;
    assert!(bind(&options).await.is_ok());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let mut options = quick();
    let first = bind(&options).await.unwrap();
    options.port = first.local_addr().unwrap().port();
    let error = bind(&options).await.unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{}", options.port)), "{error}");
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_sequence() {
    let simulator = start(quick()).await;
    for stream in [true, false] {
        let url = format!("{}{PATH}", simulator.base);
        let request = simulator.client.post(url).json(&long_body(stream)).send();
        if stream {
            let response = request.await.unwrap();
            simulator.wait_for_metric("vllm:num_requests_running", 1.0).await;
            drop(response);
        } else {
            let waiting = tokio::spawn(request);
            simulator.wait_for_metric("vllm:num_requests_running", 1.0).await;
            waiting.abort();
        }
        simulator.wait_for_metric("vllm:num_requests_running", 0.0).await;
    }
    let aborted = "vllm:request_success_total{engine=\"0\",finished_reason=\"abort\"";
    simulator.wait_for_metric(aborted, 2.0).await;
}

#[tokio::test]
async fn a_shutdown_cuts_what_streams_and_returns_soon() {
    let simulator = start(quick()).await;
    let began = Instant::now();
    let response = simulator.post(PATH, &long_body(true)).await;
    let reading = tokio::spawn(read_stream(began, response));
    simulator.wait_for_metric("vllm:num_requests_running", 1.0).await;
    let stopping = Instant::now();
    simulator.stop().await.unwrap();
    assert!(stopping.elapsed() < Duration::from_millis(1500));
    assert!(reading.await.unwrap().broken);
}

#[tokio::test]
async fn an_engine_that_dies_cuts_its_streams_and_says_why() {
    let mut options = quick();
    options.faults.exit_after_s = Some(0.3);
    let simulator = start(options).await;
    let stream = simulator.stream(PATH, &long_body(true)).await;
    assert!(stream.broken && !stream.events.is_empty());
    let ended = simulator.ended().await;
    assert!(matches!(ended, Err(Error::Died { .. })), "{ended:?}");
}
