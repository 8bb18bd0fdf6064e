//! The plan of a refresh over REST.

use std::time::Duration;

use accelbench_store::catalog_targets;
use axum::http::StatusCode;
use serde_json::json;

use crate::harness::{TestApp, request};

#[tokio::test]
async fn a_dry_run_says_what_would_be_run_for_how_much() {
    let app = TestApp::new().await;
    let empty = app.get("/api/v1/catalog/targets").await.json();
    assert_eq!((&empty["targets"], &empty["budget"]["planned_usd"]), (&json!([]), &json!(0.0)));
    let spec = serde_json::from_value(json!({
        "model": request()["model"], "instance_type": "g6e.xlarge",
        "platform": {"kind": "local", "engine": "simulator"}, "load_points": [{"concurrency": 1}],
    }))
    .unwrap();
    let mut connection = app.database.pool.acquire().await.unwrap();
    catalog_targets::put(&mut connection, &spec, Duration::from_hours(24)).await.unwrap();
    let plan = app.get("/api/v1/catalog/targets?budget_usd=10").await.json();
    let target = &plan["targets"][0];
    assert_eq!(
        (&target["decision"], &target["reason"]),
        (&json!("submit"), &json!("never_measured")),
        "{plan}"
    );
    assert_eq!(target["spec"]["instance_type"], "g6e.xlarge");
    assert_eq!(plan["budget"]["usd"], 10.0);
    assert!(plan["budget"]["planned_hours"].as_f64().unwrap() > 0.0);
    let refused = app.get("/api/v1/catalog/targets?budget_usd=-1").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
}
