//! A run against a real engine: llama.cpp's own server.

use accelbench_core::run::Verdict;
use accelbench_tests::installation::{Installation, request};
use accelbench_tests::llama_cpp::{self, Unavailable};

#[tokio::test]
async fn a_real_engine_is_measured() {
    let command = match llama_cpp::offer().unwrap() {
        Ok(command) => command,
        Err(Unavailable(reason)) => {
            eprintln!("SKIPPED: a_real_engine_is_measured: {reason}");
            return;
        }
    };
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[&command]).unwrap();
    let run_id = installation.submit(&request("llama")).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    let events = installation.events(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    assert_eq!(installation.run_processes().unwrap(), Vec::<i32>::new());

    let results = installation.results(&run_id).await.unwrap();
    assert_eq!(results.len(), 2);
    for result in &results {
        let report = &result["report"];
        assert_eq!(result["provenance"]["origin"], "measured");
        assert_eq!(result["provenance"]["engine"], "llama_cpp", "{result:#}");
        // The lengths that were asked for, as the engine's own tokenizer counts them.
        assert_eq!(report["input_tokens"]["mean"], 16.0, "{report:#}");
        assert_eq!(report["output_tokens"]["mean"], 8.0, "{report:#}");
        assert_eq!(report["requests_failed"], serde_json::json!({}), "{report:#}");
        let p50 = |metric: &str| report[metric]["p50"].as_f64().unwrap();
        assert!(p50("ttft_ms") > 0.0 && p50("e2e_ms") > p50("ttft_ms"), "{report:#}");
    }
    let log = installation.get(&format!("/api/v1/runs/{run_id}/logs/engine")).await.unwrap();
    let head: String = log.as_str().unwrap().chars().take(4000).collect();
    assert!(head.contains("llama.cpp serves meta-llama/Llama-3.1-8B"), "{head}");
}
