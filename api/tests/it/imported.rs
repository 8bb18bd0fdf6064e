//! What others measured, over REST.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::TestApp;

/// As `vllm bench serve` writes it, shortened.
fn file() -> Value {
    json!({
        "date": "20261124-022641", "backend": "openai", "model_id": "meta-llama/Llama-3.1-8B-Instruct",
        "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 16, "completed": 300, "failed": 0,
        "total_input_tokens": 19_223, "total_output_tokens": 38_400, "request_throughput": 6.9,
        "output_throughput": 884.6, "total_token_throughput": 1327.4, "median_ttft_ms": 105.4, "p99_itl_ms": 86.1,
    })
}

fn request() -> Value {
    json!({
        "file": file(), "source": {"name": "our lab"}, "imported_by": "ada",
        "hardware": {"instance_type": "g6e.xlarge", "accelerator_name": "L40S"},
        "engine": {"name": "vLLM", "version": "0.32.0", "precision": "bf16"},
    })
}

#[tokio::test]
async fn a_file_is_taken_over_once_and_kept_apart() {
    let app = TestApp::new().await;
    let first = app.post("/api/v1/imported-results", &request()).await;
    assert_eq!((first.status, &first.json()["added"]), (StatusCode::CREATED, &1.into()), "{}", first.json());
    let again = app.post("/api/v1/imported-results", &request()).await;
    assert_eq!((again.status, &again.json()["added"]), (StatusCode::OK, &0.into()));

    let list = app.get("/api/v1/imported-results?instance_type=g6e.xlarge").await.json();
    let rows = list["imported_results"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((&row["source"]["name"], &row["source"]["date"]), (&"our lab".into(), &"2026-11-24".into()));
    assert_eq!((&row["offered_load"]["concurrency"], &row["imported_by"]), (&16.into(), &"ada".into()));
    assert_eq!(row["metrics"]["ttft_p50_ms"], 105.4);
    assert!(row["caveats"][0].as_str().unwrap().contains("gap between chunks"), "{row}");
    // Nowhere among our own.
    for path in ["results", "results?origin=imported"] {
        assert_eq!(app.get(&format!("/api/v1/{path}")).await.json()["results"], json!([]), "{path}");
    }
    assert_eq!(app.get("/api/v1/catalog").await.json()["items"], json!([]));
}

#[tokio::test]
async fn imported_results_are_found_by_what_they_are_about() {
    let app = TestApp::new().await;
    app.post("/api/v1/imported-results", &request()).await;
    for (parameters, found) in [
        ("model=meta-llama/Llama-3.1-8B-Instruct&accelerator_name=l40&concurrency=16", 1),
        ("engine=vllm&precision=bf16&source=our%20lab&kind=online_serving", 1),
        ("concurrency=8", 0),
        ("kind=static_batch", 0),
        ("limit=1", 1),
    ] {
        let list = app.get(&format!("/api/v1/imported-results?{parameters}")).await.json();
        assert_eq!(list["imported_results"].as_array().unwrap().len(), found, "{parameters}: {list}");
    }
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_with_the_reason() {
    let app = TestApp::new().await;
    for (path, value, detail) in [
        ("/file", json!({"a": 1}), "neither a file of"),
        ("/file/model_id", Value::Null, "does not name its model"),
        ("/file/model_id", json!("/models/llama"), "the model in the file"),
        ("/file/completed", json!(0), "completed no request"),
        ("/file/output_throughput", json!("fast"), "invalid type"),
        ("/source/name", json!(""), "names no source"),
        ("/source", json!({"name": "x", "date": "yesterday"}), "is no date"),
        ("/hardware/instance_type", json!("p5"), "not an instance type"),
        ("/imported_by", json!("x".repeat(201)), "imported_by"),
    ] {
        let mut body = request();
        *body.pointer_mut(path).unwrap() = value.clone();
        let answer = app.post("/api/v1/imported-results", &body).await;
        let problem = answer.json();
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} = {value}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{path} = {value}: {problem}");
    }
}
