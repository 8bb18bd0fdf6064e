//! The catalog over REST.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::TestApp;

const PATH: &str = "/api/v1/catalog?origin=simulated";

fn items(answer: &Value) -> &Vec<Value> {
    answer["items"].as_array().unwrap()
}

/// Two configurations of one instance type that has a price.
async fn app() -> TestApp {
    let app = TestApp::new().await;
    app.price("g6e.xlarge", 3.6).await;
    app.succeeded().await;
    app
}

#[tokio::test]
async fn an_item_has_its_numbers_and_what_they_cost() {
    let app = app().await;
    let answer = app.get(&format!("{PATH}&sort=cost_per_request&concurrency=4&discount=0.5")).await.json();
    insta::with_settings!({filters => vec![
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "[id]"),
        (r"[0-9a-f]{64}", "[hash]"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "[moment]"),
    ]}, {
        insta::assert_json_snapshot!(answer);
    });
}

#[tokio::test]
async fn simulated_results_are_shown_only_when_asked_for() {
    let app = app().await;
    assert_eq!(items(&app.get("/api/v1/catalog").await.json()).len(), 0);
    assert_eq!(items(&app.get(PATH).await.json()).len(), 2);
}

#[tokio::test]
async fn a_cursor_leads_to_the_next_page_of_the_same_question_alone() {
    let app = app().await;
    let first = app.get(&format!("{PATH}&limit=1&sort=ttft_p50_ms")).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("{PATH}&limit=1&sort=ttft_p50_ms&cursor={cursor}")).await.json();
    assert_ne!(items(&first)[0]["result_id"], items(&second)[0]["result_id"]);
    assert_eq!(second.get("next_cursor"), None);
    assert_eq!(second["pricing"]["priced_at"], first["pricing"]["priced_at"]);
    let other = app.get(&format!("{PATH}&limit=1&sort=itl_p50_ms&cursor={cursor}")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    assert!(other.text.contains("belongs to another question"), "{}", other.text);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_what_can() {
    let app = TestApp::new().await;
    for (parameters, part) in [
        ("sort=price", "cost_per_million_output_tokens"),
        ("direction=up", "`ascending` or `descending`"),
        ("tier=cheap", "give on_demand, spot"),
        ("tier=reserved_1_year", "no_upfront"),
        ("payment=later&tier=reserved_1_year", "`partial_upfront`"),
        ("quantization=fp5", "`int4`"),
        ("engine=tgi", "`llama_cpp`"),
        ("accelerator_vendor=amd", "`nvidia` or `aws`"),
        ("slo=fast", "write for instance ttft_p95_ms<=500"),
        ("discount=0", "the share of the list price"),
        ("limit=0", "it must be 1 to 1000"),
        ("cursor=xyz", "leave it out for the first page"),
        ("origin=imported", "/api/v1/imported-results"),
        ("since=yesterday", "since"),
        ("colour=red", "instance_type"),
    ] {
        let answer = app.get(&format!("/api/v1/catalog?{parameters}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}: {}", answer.text);
        assert!(answer.text.contains(part), "{parameters}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_history_of_a_configuration_stands_behind_its_current_result() {
    let app = app().await;
    app.succeeded().await;
    let current = app.get(&format!("{PATH}&concurrency=4")).await.json();
    assert_eq!(items(&current).len(), 1);
    let id = items(&current)[0]["result_id"].as_str().unwrap();
    let history = app.get(&format!("/api/v1/results/{id}/history?tier=spot")).await.json();
    assert_eq!(items(&history).len(), 2);
    assert_eq!(items(&history)[0]["result_id"], json!(id));
    let reason = &items(&history)[0]["costs"]["per_request"]["absent"];
    assert_eq!(*reason, json!("no spot price of g6e.xlarge in us-east-1 is known"));
    let nothing = app.get("/api/v1/results/01900000-0000-7000-8000-000000000000/history").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}
