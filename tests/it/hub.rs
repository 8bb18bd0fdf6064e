//! Runs of the commit that the Hub names, from submit to result.

use accelbench_core::run::Verdict;
use accelbench_tests::hub_double::{COMMIT, HubDouble, configuration, description};
use accelbench_tests::installation::{Installation, request};
use serde_json::json;

#[tokio::test]
async fn results_are_of_the_commit_that_the_engine_was_told_to_load() {
    let hub = HubDouble::with(description(), configuration()).await.unwrap();
    let mut installation = Installation::start_with_hub(hub.url.as_str()).await.unwrap();
    let program = Installation::program().unwrap();
    let engine = format!(
        "loads=env COMMIT={{revision}} {} simulate --host {{host}} --port {{port}} --model {{model}} --timing fixed \
         --ttft-ms 5 --itl-ms 2",
        program.display()
    );
    installation.start_worker(&[&engine]).unwrap();
    let mut request = request("loads");
    request["model"] = json!("Qwen/Qwen3-8B");
    let run_id = installation.submit(&request).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded));
    assert_eq!(run.spec.revision.map(String::from).as_deref(), Some(COMMIT));
    for result in installation.results(&run_id).await.unwrap() {
        assert_eq!(result["provenance"]["revision"]["value"], COMMIT, "{result:#}");
        let arguments = result["provenance"]["engine_arguments"].to_string();
        assert!(arguments.contains(&format!("COMMIT={COMMIT}")), "{arguments}");
    }
}

#[tokio::test]
async fn without_the_hub_a_run_of_the_catalogs_models_says_why_its_commit_is_not_known() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut installation = Installation::start_with_hub(&format!("http://{free}")).await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded));
    for result in installation.results(&run_id).await.unwrap() {
        let reason = result["provenance"]["revision"]["absent"].as_str().unwrap();
        assert!(reason.starts_with("the Hugging Face Hub could not be reached"), "{reason}");
    }
}
