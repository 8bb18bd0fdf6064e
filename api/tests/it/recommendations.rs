//! Which configuration is cheapest, over REST.

use axum::http::StatusCode;

use crate::harness::TestApp;

const MODEL: &str = "model=meta-llama/Llama-3.1-8B-Instruct&region=us-east-1";

#[tokio::test]
async fn simulated_results_answer_only_when_they_are_asked() {
    let app = TestApp::new().await;
    app.succeeded().await;
    let models = app.get("/api/v1/results").await.json();
    let model = models["results"][0]["provenance"]["model"].as_str().unwrap().to_owned();
    let ask = async |more: &str| {
        let path = format!(
            "/api/v1/recommendations?model={model}&region=us-east-1&requests_per_s=1&slo=ttft_mean_ms%3C=60000{more}"
        );
        app.get(&path).await.json()
    };
    let measured = ask("").await;
    assert_eq!(measured["recommendation"]["answer"], "not_enough_data", "{measured}");
    assert_eq!(measured["recommendation"]["excluded"], serde_json::json!([]), "{measured}");
    // There is a curve, and no price in the database of this test: that is the reason why it is no answer.
    let simulated = ask("&origin=simulated").await;
    let excluded = &simulated["recommendation"]["excluded"];
    assert_eq!(excluded.as_array().unwrap().len(), 1, "{simulated}");
    assert!(excluded[0]["loss"].to_string().contains("no on-demand price"), "{simulated}");
    assert_eq!(simulated["workload_sha256"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused() {
    let app = TestApp::new().await;
    for (parameters, detail) in [
        ("slo=fast&requests_per_s=1", "`fast` is no limit"),
        ("slo=ttft_p95_ms%3C=500&requests_per_s=0", "requests_per_s"),
        ("slo=ttft_p95_ms%3C=500&requests_per_s=1&tier=cheap", "cheap"),
    ] {
        let answer = app.get(&format!("/api/v1/recommendations?{MODEL}&{parameters}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{parameters}: {}", answer.json());
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(detail),
            "{parameters}: {}",
            answer.json()
        );
    }
}
