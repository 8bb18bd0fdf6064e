//! What a run would be like, asked before it is paid, and what may be spent on it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::fits::app;
use crate::harness::{TestApp, request};

const QUESTION: &str = "/api/v1/estimates?model=meta-llama/Llama-3.1-8B&instance_type=p5.48xlarge";

fn on_cluster(changes: &Value) -> Value {
    let mut asked = request();
    (asked["platform"], asked["instance_type"]) = (json!({"kind": "kubernetes"}), json!("p5.48xlarge"));
    for (field, value) in changes.as_object().unwrap() {
        asked[field] = value.clone();
    }
    asked
}

async fn runs(app: &TestApp) -> usize {
    app.get("/api/v1/runs").await.json()["runs"].as_array().unwrap().len()
}

#[tokio::test]
async fn speed_time_and_money_are_estimated_with_what_they_rest_on() {
    let app = app().await;
    let answer = app.get(&format!("{QUESTION}&input_tokens=512&output_tokens=128&concurrency=1,32")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let estimate = &answer.json()["estimate"];
    assert_eq!(estimate["label"], "estimate");
    let speed = &estimate["load_points"][1]["speed"]["value"]["output_tokens_per_s"];
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(
        number(&speed["low"]) < number(&speed["value"]) && number(&speed["value"]) < number(&speed["high"])
    );
    // Eight replicas share the requests.
    assert_eq!(estimate["deployment"]["replicas"], 8);
    let money = &estimate["money"];
    let hours = number(&estimate["time"]["total_s"]["value"]) / 3600.0;
    assert!((number(&money["estimate"]["value"]) - 55.04 * hours).abs() < 1e-6, "{money}");
    assert!((number(&money["at_time_limit"]) - 55.04 * (2.0 + 1.0 / 6.0)).abs() < 1e-6, "{money}");
    let price = &estimate["price"];
    assert_eq!((&price["region"], &price["as_of"]), (&json!("us-east-1"), &json!("2026-07-20T00:00:00Z")));
    assert!(price["age_days"].as_i64().is_some(), "{price}");
    let sentence = estimate["sentence"].as_str().unwrap();
    for part in ["fit: fits at tensor parallel 1", "concurrency 32: estimate", "cost: estimate", "days ago"] {
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[tokio::test]
async fn a_price_that_is_not_known_is_no_price_of_zero() {
    let answer = app().await.get(&format!("{QUESTION}&region=eu-west-9")).await.json();
    let estimate = &answer["estimate"];
    assert_eq!((&estimate["money"]["kind"], &estimate["price"]), (&json!("unknown"), &Value::Null));
    let reason = estimate["money"]["reason"].as_str().unwrap();
    assert_eq!(reason, "no on-demand price of p5.48xlarge in eu-west-9 is known");
}

#[tokio::test]
async fn odd_questions_are_refused() {
    let app = app().await;
    for (parameters, part) in [
        ("&input_tokens=512", "give input_tokens and output_tokens together"),
        ("&concurrency=1,many", "concurrency: `many` is not a whole number"),
        ("&concurrency=0", "nonzero"),
        ("&timeout_s=1", "timeout_s is 1"),
        ("&tensor_parallel=16", "which has 8 GPUs"),
    ] {
        let answer = app.get(&format!("{QUESTION}{parameters}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert!(answer.text.contains(part), "{parameters}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_request_is_rehearsed_without_being_written() {
    let app = app().await;
    let answer = app.post("/api/v1/estimates", &on_cluster(&json!({}))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["spec"]["tensor_parallel"], 1);
    assert_eq!(answer.json()["estimate"]["money"]["kind"], "usd");
    let here = app.post("/api/v1/estimates", &request()).await.json();
    assert_eq!(here["estimate"]["money"]["kind"], "nothing_paid", "{here}");
    assert_eq!(here["estimate"]["price"], Value::Null, "{here}");
    let refused = app
        .post(
            "/api/v1/estimates",
            &on_cluster(&json!({"instance_type": "g6e.xlarge", "model":
        "meta-llama/Llama-3.1-405B"})),
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(runs(&app).await, 0);
}

#[tokio::test]
async fn a_run_that_may_cost_too_much_is_refused_with_which_number_it_is() {
    let app = app().await;
    for (changes, part) in [
        (json!({"max_cost_usd": 5.0}), "the run may cost up to"),
        (json!({"max_cost_usd": 100.0}), "time limit of 7200 s and its teardown allow it to cost 119.25 USD"),
        (json!({"max_cost_usd": 0}), "max_cost_usd is 0"),
        (json!({"max_cost_usd": "5"}), "invalid type"),
    ] {
        for address in ["/api/v1/runs", "/api/v1/estimates"] {
            let answer = app.post(address, &on_cluster(&changes)).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
            assert!(answer.text.contains(part), "{changes}: {}", answer.text);
        }
    }
    assert_eq!(runs(&app).await, 0);
    let allowed = app.post("/api/v1/runs", &on_cluster(&json!({"max_cost_usd": 120.0}))).await;
    assert_eq!(
        (allowed.status, &allowed.json()["spec"]["max_cost_usd"]),
        (StatusCode::CREATED, &json!(120.0))
    );
    // What costs nothing is within every limit.
    let mut here = request();
    here["max_cost_usd"] = json!(0.01);
    assert_eq!(app.post("/api/v1/runs", &here).await.status, StatusCode::CREATED);
}
