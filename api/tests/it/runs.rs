//! Submitting, listing, cancelling and repeating runs over REST.

use std::collections::HashSet;

use accelbench_core::run::{Transition, Verdict};
use accelbench_store::lease;
use accelbench_store::secrets::sealed_token;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{TestApp, request, step, take};

#[tokio::test]
async fn a_run_is_submitted_shown_and_listed() {
    let app = TestApp::new().await;
    let answer = app.post("/api/v1/runs", &request()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let run = answer.json();
    assert_eq!(run["phase"], json!({"phase": "queued"}));
    assert_eq!(run["submitted_by"], "ada");

    let address = answer.header("location");
    assert_eq!(app.get(address).await.json(), run);
    for (query, found) in [
        ("", 1),
        ("?submitted_by=ada&phase=queued&model=meta-llama/Llama-3.1-8B&instance_type=g6e.xlarge", 1),
        ("?submitted_by=eve", 0),
        ("?phase=finished", 0),
        ("?model=&phase=", 1),
    ] {
        let list = app.get(&format!("/api/v1/runs{query}")).await.json();
        assert_eq!(list["runs"].as_array().unwrap().len(), found, "{query}");
    }
}

#[tokio::test]
async fn pages_of_runs_follow_each_other_without_gaps() {
    let app = TestApp::new().await;
    let mut submitted = Vec::new();
    for _ in 0..3 {
        submitted.insert(0, json!(app.submitted().await));
    }
    let ids = |list: &Value| -> Vec<Value> {
        list["runs"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    let first = app.get("/api/v1/runs?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = app.get(&format!("/api/v1/runs?limit=2&cursor={cursor}")).await.json();
    assert_eq!([ids(&first), ids(&next)].concat(), submitted);
    assert_eq!(next["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_repeated_submission_starts_no_second_run() {
    let app = TestApp::new().await;
    let submit = async |body: &Value| {
        app.json(Method::POST, "/api/v1/runs", &[("idempotency-key", "k-1")], body.to_string()).await
    };
    let first = submit(&request()).await;
    let second = submit(&request()).await;
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first.json()["id"], second.json()["id"]);

    let mut other = request();
    other["load_points"] = json!([{"concurrency": 2}]);
    let conflict = submit(&other).await;
    assert_eq!(conflict.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(conflict.json()["detail"].as_str().unwrap().contains("used for another request"));
    assert_eq!(app.get("/api/v1/runs").await.json()["runs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_key_is_one_run_however_many_ask_at_once_and_for_a_day() {
    let app = TestApp::new().await;
    let submit = async || {
        app.json(Method::POST, "/api/v1/runs", &[("idempotency-key", "k-2")], request().to_string()).await
    };
    let (a, b, c, d) = tokio::join!(submit(), submit(), submit(), submit());
    let ids: HashSet<String> = [&a, &b, &c, &d].map(|answer| answer.json()["id"].to_string()).into();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let created = [&a, &b, &c, &d].into_iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(created, 1);

    // A request is answered with its run whatever has become of what it names.
    let mut connection = app.database.pool.acquire().await.unwrap();
    sqlx::query("UPDATE runs SET created_at = now() - interval '23 hours'")
        .execute(&mut *connection)
        .await
        .unwrap();
    assert_eq!(submit().await.status, StatusCode::OK);
    sqlx::query("UPDATE runs SET created_at = now() - interval '25 hours'")
        .execute(&mut *connection)
        .await
        .unwrap();
    let later = submit().await;
    assert_eq!(later.status, StatusCode::CREATED, "{}", later.text);
    assert!(!ids.contains(&later.json()["id"].to_string()));
}

#[tokio::test]
async fn impossible_requests_are_refused_with_what_to_do() {
    let app = TestApp::new().await;
    let lengths = |input: u32, output: u32| json!({"lengths": {"kind": "fixed", "input_tokens": input, "output_tokens": output}});
    for (field, value, expected) in [
        ("model", json!("meta-llama/Llama-3.1-8b-it"), "did you mean `meta-llama/Llama-3.1-8B`"),
        ("model", json!("zz/zz"), "add it with POST /api/v1/models"),
        ("model", json!("no model"), "model: `no model` is not a model id"),
        ("instance_type", json!("g6e.xlrge"), "did you mean `g6e.xlarge`"),
        ("platform", json!({"kind": "local", "engine": "vllm"}), "is measured as `local`"),
        ("workload", json!({"dataset": "standart"}), "did you mean `standard`"),
        ("workload", lengths(131_000, 1000), "exceed the context of 131072"),
        ("workload", lengths(0, 9), "input_tokens is 0"),
        (
            "model",
            json!("meta-llama/Llama-3.1-405B"),
            "on each accelerator weights take 754.4 and the engine 1.0",
        ),
        ("model", json!("some/unknown"), "not known: the model's number of parameters"),
        ("load_points", json!([{"concurrency": 0}]), "load_points[0].concurrency"),
        ("load_points", json!([]), "0 load points were given"),
        ("submitted_by", json!("a\nb"), "one line"),
        ("hf_token", json!(7), "hf_token must be a text"),
        ("revision", json!("main"), "cannot be made a commit"),
        ("concurency", json!(4), "unknown field `concurency`"),
    ] {
        let mut body = request();
        body[field] = value;
        let answer = app.post("/api/v1/runs", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", answer.text);
        assert!(answer.text.contains(expected), "{field}: {} lacks {expected}", answer.text);
    }
    assert_eq!(app.get("/api/v1/runs").await.json()["runs"], json!([]));
}

#[tokio::test]
async fn an_engine_that_nobody_offers_is_refused_with_those_that_are() {
    let app = TestApp::new().await;
    let mut body = request();
    body["platform"]["engine"] = json!("vllm");
    body["instance_type"] = json!("local");
    let answer = app.post("/api/v1/runs", &body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!(answer.problem(), @r#"
    {
      "detail": "there is no engine `vllm`",
      "hint": "workers offer simulator; the operator adds one with --engine NAME=COMMAND",
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn a_token_is_sealed_and_in_no_answer() {
    let app = TestApp::new().await;
    let mut body = request();
    body["hf_token"] = json!("hf_verysecret");
    let answer = app.post("/api/v1/runs", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let run_id = answer.json()["id"].as_str().unwrap().parse().unwrap();
    let mut connection = app.database.pool.acquire().await.unwrap();
    let sealed = sealed_token(&mut connection, run_id).await.unwrap().unwrap();
    assert_eq!(app.key.open(run_id, &sealed).unwrap().expose(), "hf_verysecret");

    let mut answers = vec![answer];
    for path in ["/api/v1/runs/{}", "/api/v1/runs/{}/events", "/runs/{}"] {
        answers.push(app.get(&path.replace("{}", &run_id.to_string())).await);
    }
    body["hf_token"] = json!("hf_verysecret with a space");
    answers.push(app.post("/api/v1/runs", &body).await);
    for answer in answers {
        assert!(!answer.text.contains("verysecret"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_run_is_cancelled_until_its_end_is_decided() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let cancel = format!("/api/v1/runs/{run_id}/cancel");
    assert_eq!(app.post(&cancel, &json!({})).await.status, StatusCode::ACCEPTED);
    assert_eq!(app.post(&cancel, &json!({})).await.status, StatusCode::ACCEPTED);
    assert_ne!(app.get(&format!("/api/v1/runs/{run_id}")).await.json()["cancel_requested_at"], Value::Null);

    let mut connection = app.database.pool.acquire().await.unwrap();
    step(&mut connection, run_id, Transition::End(Verdict::Cancelled), None).await;
    let late = app.post(&cancel, &json!({})).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text.contains("cannot be cancelled"));
}

#[tokio::test]
async fn only_a_parked_run_is_requeued() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let requeue = format!("/api/v1/runs/{run_id}/requeue");
    let answer = app.post(&requeue, &json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text.contains("not parked"));

    let mut connection = app.database.pool.acquire().await.unwrap();
    step(&mut connection, run_id, Transition::End(Verdict::Cancelled), None).await;
    let (lease, _) = take(&mut connection, run_id).await;
    lease::park(&mut connection, lease, "the platform refuses").await.unwrap();
    assert_eq!(app.get(&format!("/runs/{run_id}")).await.texts("#live .actions button"), ["Re-queue"]);
    assert_eq!(app.post(&requeue, &json!({})).await.status, StatusCode::ACCEPTED);
    assert_eq!(app.get(&format!("/api/v1/runs/{run_id}")).await.json()["parked_reason"], Value::Null);
}

#[tokio::test]
async fn a_run_is_repeated_as_a_run_of_its_own() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let again = app.post(&format!("/api/v1/runs/{run_id}/retry"), &json!({})).await;
    assert_eq!(again.status, StatusCode::CREATED);
    let first = app.get(&format!("/api/v1/runs/{run_id}")).await.json();
    assert_eq!(again.json()["spec"], first["spec"]);
    assert_ne!(again.json()["id"], first["id"]);
}
