//! What the Hub says of a model, in requests and in what is kept of them.

use std::time::{Duration, Instant};

use accelbench_store::platforms;
use accelbench_tests::hub_double::{Answer, Asked, COMMIT, HubDouble, configuration, description, refusal};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{TestApp, request};

const MODEL: &str = "meta-llama/Llama-3.1-8B";
const RESOLVED: &str = "Qwen/Qwen3-8B";

async fn hub(description: Value) -> HubDouble {
    HubDouble::with(description, configuration()).await.unwrap()
}

/// A server that asks `hub` and has a cluster.
async fn app(hub: &HubDouble) -> TestApp {
    let app = TestApp::with_hub(&hub.url).await;
    platforms::offer_kubernetes(&mut app.database.pool.acquire().await.unwrap()).await.unwrap();
    app
}

/// A request with these fields replaced.
fn asking(changes: &Value) -> Value {
    let mut request = request();
    for (field, value) in changes.as_object().unwrap() {
        request[field] = value.clone();
    }
    request
}

fn on_cluster(model: &str) -> Value {
    asking(&json!({"model": model, "platform": {"kind": "kubernetes"}}))
}

/// The description of a model of another name.
fn described(model: &str, gated: &Value) -> Value {
    let mut description = description();
    description["id"] = json!(model);
    description["gated"] = gated.clone();
    description
}

#[tokio::test]
async fn a_model_is_added_by_its_name() {
    let hub = hub(description()).await;
    let app = app(&hub).await;
    let added = app.post("/api/v1/models", &json!({"id": RESOLVED})).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let shown = app.get("/api/v1/models/Qwen/Qwen3-8B").await.json();
    assert_eq!(shown, added.json());
    insta::assert_json_snapshot!(shown, @r#"
    {
      "attention_heads": 32,
      "expert_count": null,
      "experts_per_token": null,
      "family": "qwen3",
      "gated": false,
      "kv_cache_bytes_per_token": 147456.0,
      "kv_heads": 8,
      "layers": 36,
      "licence": "apache-2.0",
      "max_context_tokens": 40960,
      "model": "Qwen/Qwen3-8B",
      "params_active_b": 8.19073536,
      "params_total_b": 8.19073536,
      "published_quantization": "bf16",
      "revision": "0123456789abcdef0123456789abcdef01234567",
      "revisions": [
        "0123456789abcdef0123456789abcdef01234567"
      ],
      "source": "127.0.0.1/Qwen/Qwen3-8B@0123456789abcdef0123456789abcdef01234567 config.json, parameters counted in the safetensors files"
    }
    "#);
    assert_eq!(app.get("/api/v1/models/Qwen/Qwen3").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_opens_and_is_not_kept() {
    let gated = HubDouble::start(|asked: &Asked| match asked.target.starts_with("/api/") {
        true => Answer::Json(described(MODEL, &json!("manual"))),
        false if asked.authorization.as_deref() == Some("Bearer hf_opens") => Answer::Json(configuration()),
        false => refusal(401, "GatedRepo", "Access to this model is restricted."),
    })
    .await
    .unwrap();
    let app = app(&gated).await;
    let named = json!({"id": MODEL}).to_string();
    for (headers, body, status) in [
        (vec![], named.clone(), StatusCode::UNPROCESSABLE_ENTITY),
        (vec![("x-hf-token", "hf_closed")], named.clone(), StatusCode::UNPROCESSABLE_ENTITY),
        (vec![("x-hf-token", "hf_opens")], named, StatusCode::CREATED),
        (vec![], json!({"id": MODEL, "hf_token": "hf_opens"}).to_string(), StatusCode::CREATED),
    ] {
        let answer = app.json(Method::POST, "/api/v1/models", &headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(!answer.text.contains("hf_opens") && !answer.text.contains("hf_closed"), "{}", answer.text);
    }
    let refused = app.post("/api/v1/runs", &on_cluster(MODEL)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("is gated: accept its terms at") && detail.contains("give a Hugging Face token"));
    let mut with_token = on_cluster(MODEL);
    with_token["hf_token"] = json!("hf_opens");
    let run = app.post("/api/v1/runs", &with_token).await;
    assert_eq!((run.status, &run.json()["spec"]["revision"]), (StatusCode::CREATED, &json!(COMMIT)));
}

#[tokio::test]
async fn a_run_is_of_the_commit_behind_what_was_asked_for() {
    let hub = hub(described(MODEL, &json!(false))).await;
    let app = app(&hub).await;
    let endpoint = json!({"kind": "endpoint", "url": "http://engine:8000"});
    for (changes, revision) in [
        (json!({"platform": {"kind": "kubernetes"}}), json!(COMMIT)),
        (json!({}), json!(COMMIT)),
        (json!({"revision": "v1.0"}), json!(COMMIT)),
        // What somebody else serves is of no commit that we know.
        (json!({"platform": endpoint, "instance_type": "external"}), Value::Null),
    ] {
        let answer = app.post("/api/v1/runs", &asking(&changes)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.json()["spec"]["revision"], revision, "{changes}");
    }
    assert!(hub.targets().contains(&format!("/api/models/{MODEL}/revision/v1.0?blobs=true")));
    // Facts of the Hub take the place of what the catalog had.
    let model = app.get(&format!("/api/v1/models/{MODEL}")).await.json();
    assert_eq!((&model["layers"], &model["family"]), (&json!(36), &json!("llama-3.1")));
}

#[tokio::test]
async fn a_model_that_is_not_in_the_catalog_is_looked_up() {
    let hub = hub(description()).await;
    let app = app(&hub).await;
    let answer = app.post("/api/v1/runs", &asking(&json!({"model": "qwen/qwen3-8b"}))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    // The Hub's spelling is the one that counts.
    assert_eq!(answer.json()["spec"]["model"], RESOLVED);
}

#[tokio::test]
async fn what_the_hub_refuses_is_refused_with_the_way_out() {
    let bert = json!({"architectures": ["BertForMaskedLM"], "model_type": "bert"});
    let encoder = HubDouble::with(description(), bert).await.unwrap();
    let missing = HubDouble::start(|_| refusal(404, "RepoNotFound", "Repository not found")).await.unwrap();
    let no_branch = HubDouble::start(|_| refusal(404, "RevisionNotFound", "Invalid rev id")).await.unwrap();
    for (hub, changes, detail) in [
        (&encoder, json!({"model": RESOLVED}), "is an encoder"),
        (&missing, json!({"model": RESOLVED}), "is not on the Hugging Face Hub, or is private"),
        (&missing, json!({"platform": {"kind": "kubernetes"}}), "is not on the Hugging Face Hub"),
        (&no_branch, json!({"revision": "v9"}), "has no revision `v9`"),
    ] {
        let app = app(hub).await;
        let answer = app.post("/api/v1/runs", &asking(&changes)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{}", answer.text);
    }
}

#[tokio::test]
async fn an_outage_is_said_once_waited_for_and_then_remembered() {
    let silent = HubDouble::start(|_| Answer::Text(503, Vec::new(), String::new())).await.unwrap();
    let mut nobody = silent.url.clone();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    nobody.set_port(Some(free)).unwrap();
    let app = TestApp::with_hub(&nobody).await;
    let answer = app.post("/api/v1/runs", &request()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let run = answer.json();
    assert_eq!(run["spec"].get("revision"), None);
    let reason = run["revision_absent_reason"].as_str().unwrap();
    assert!(reason.starts_with("the Hugging Face Hub could not be reached: 127.0.0.1"), "{reason}");
    let events = app.get(&format!("/api/v1/runs/{}/events", run["id"].as_str().unwrap())).await;
    assert!(events.text.contains("the model's commit is not known: the Hugging Face Hub"), "{}", events.text);

    let before = Instant::now();
    let unknown = app.post("/api/v1/runs", &asking(&json!({"model": "some/other"}))).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = unknown.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("there is no model `some/other` in the catalog, and the Hugging"), "{detail}");
    assert!(before.elapsed() < Duration::from_secs(1), "an outage is remembered");
    let branch = app.post("/api/v1/runs", &asking(&json!({"revision": "main"}))).await;
    assert!(
        branch.text.contains("`main` of meta-llama/Llama-3.1-8B cannot be made a commit"),
        "{}",
        branch.text
    );
    let commit = app.post("/api/v1/runs", &asking(&json!({"revision": COMMIT}))).await;
    assert_eq!(commit.json()["spec"]["revision"], COMMIT);
    assert_eq!(commit.json().get("revision_absent_reason"), None);
}

#[tokio::test]
async fn a_gated_model_needs_a_token_on_a_cluster_even_when_the_hub_is_away() {
    let down = HubDouble::start(|_| Answer::Text(503, Vec::new(), String::new())).await.unwrap();
    let app = app(&down).await;
    let refused = app.post("/api/v1/runs", &on_cluster(MODEL)).await;
    assert!(refused.text.contains("is gated and no Hugging Face token was given"), "{}", refused.text);
    // The catalog has its facts, and the simulator needs no more.
    assert_eq!(app.post("/api/v1/runs", &request()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_offline_server_says_so() {
    let app = TestApp::new().await;
    let run = app.post("/api/v1/runs", &request()).await.json();
    assert_eq!(run["revision_absent_reason"], "this server is offline and does not ask the Hugging Face Hub");
    let named = app.post("/api/v1/models", &json!({"id": RESOLVED})).await;
    assert!(
        named.text.contains("Qwen/Qwen3-8B cannot be looked up: this server is offline"),
        "{}",
        named.text
    );
}

#[tokio::test]
async fn the_same_request_may_come_again_after_the_branch_moved() {
    let hub = HubDouble::start(|asked: &Asked| {
        let mut description = described(MODEL, &json!(false));
        description["sha"] = json!(format!("{:040x}", asked.number));
        if asked.target.starts_with("/api/") {
            Answer::Json(description)
        } else {
            Answer::Json(configuration())
        }
    })
    .await
    .unwrap();
    let app = app(&hub).await;
    let key = [("idempotency-key", "once")];
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(app.json(Method::POST, "/api/v1/runs", &key, request().to_string()).await);
    }
    assert_eq!((answers[0].status, answers[1].status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(answers[0].json()["id"], answers[1].json()["id"]);
}
