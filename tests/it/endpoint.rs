//! Runs against a server that somebody else started.

use accelbench_core::run::Verdict;
use accelbench_simulator::SimulatorOptions;
use accelbench_tests::installation::{Installation, request};
use clap::Parser;
use serde_json::json;

#[derive(Parser)]
struct Simulate {
    #[command(flatten)]
    options: SimulatorOptions,
}

/// A simulator in this process; its address comes back.
pub(crate) async fn endpoint(model: &str) -> String {
    endpoint_with(model, &[]).await
}

/// [`endpoint`] with more arguments.
pub(crate) async fn endpoint_with(model: &str, more: &[&str]) -> String {
    simulated(&[&["--model", model, "--ttft-ms", "10", "--itl-ms", "2"], more].concat()).await
}

/// A simulator with fixed times in this process; its address comes back.
pub(crate) async fn simulated(arguments: &[&str]) -> String {
    let common = ["simulate", "--port", "0", "--timing", "fixed"];
    let options = Simulate::parse_from(common.iter().chain(arguments)).options;
    let listener = accelbench_simulator::bind(&options).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(accelbench_simulator::serve(options, listener, std::future::pending::<()>()));
    format!("http://{address}/v1")
}

#[tokio::test]
async fn an_endpoint_is_measured_and_left_running() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let url = endpoint("meta-llama/Llama-3.1-8B").await;
    let mut request = request("simulator");
    request["platform"] = json!({"kind": "endpoint", "url": url});
    request["instance_type"] = json!("external");
    let run_id = installation.submit(&request).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded));
    let results = installation.results(&run_id).await.unwrap();
    assert_eq!(results.len(), 2);
    // It is the simulator behind the endpoint, and says so.
    assert_eq!(results[0]["provenance"]["origin"], "simulated");
    assert!(results[0]["provenance"]["ami"]["absent"].as_str().is_some());
    assert!(reqwest::get(url.replace("/v1", "/health")).await.unwrap().status().is_success());
}

#[tokio::test]
async fn an_endpoint_with_another_model_is_not_measured() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let mut request = request("simulator");
    request["platform"] = json!({"kind": "endpoint", "url": endpoint("some/other-model").await});
    request["instance_type"] = json!("external");
    let run_id = installation.submit(&request).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    let reason = run.phase.verdict().and_then(Verdict::reason).unwrap();
    assert!(reason.contains("some/other-model"), "{reason}");
}
