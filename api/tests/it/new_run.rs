//! What stands beside the form of a new run: the estimate, the fit, the money that is agreed to, and what there is already.

use accelbench_store::platforms;
use axum::http::StatusCode;
use serde_json::json;

use crate::harness::TestApp;

/// As `harness::request` asks, but by the form.
const FORM: [(&str, &str); 7] = [
    ("nonce", "n-1"),
    ("model", "meta-llama/Llama-3.1-8B"),
    ("engine", "simulator"),
    ("concurrency", "1, 4"),
    ("dataset", "standard"),
    ("min_duration_s", "60"),
    ("min_requests", "200"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = FORM.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).collect()
}

async fn with_cluster(per_hour: f64) -> TestApp {
    let app = TestApp::new().await;
    platforms::offer_kubernetes(&mut app.database.pool.acquire().await.unwrap()).await.unwrap();
    app.price("g6e.xlarge", per_hour).await;
    app
}

const ON_CLUSTER: [(&str, &str); 2] = [("engine", "kubernetes:vllm"), ("instance_type", "g6e.xlarge")];

#[tokio::test]
async fn a_check_says_what_a_run_would_be_like_and_starts_none() {
    let app = with_cluster(2.0).await;
    let page = app.form("/runs/check", &with(&ON_CLUSTER)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let panel = page.texts("#panel")[0].clone();
    for said in
        ["Does it fit? yes", "weights 15.0 GiB", "KV cache", "about", "$2.00 an hour on-demand", "at most $"]
    {
        assert!(panel.contains(said), "{said}: {panel}");
    }
    assert_eq!(page.texts("#panel svg.fit").len(), 1);
    let button = &page.texts("#panel button")[0];
    assert!(button.starts_with("Start the run: about $") && button.contains(", at most $"), "{button}");

    let refused =
        app.form("/runs/check", &with(&[("model", "some/large-model"), ON_CLUSTER[0], ON_CLUSTER[1]])).await;
    assert!(refused.texts("#panel")[0].starts_with("It would be refused"), "{}", refused.text);
    let simulated = app.form("/runs/check", &FORM).await;
    assert!(simulated.texts("#panel")[0].contains("nothing: it runs on the worker's own machine"));
    assert_eq!(app.get("/api/v1/runs").await.json()["runs"], json!([]));
}

#[tokio::test]
async fn nothing_is_paid_before_its_money_was_named() {
    let app = with_cluster(2.0).await;
    let asked = app.form("/runs", &with(&ON_CLUSTER)).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text);
    assert!(asked.texts("[role=alert]")[0].contains("Nothing was started yet"));
    let agreed = asked.values("[name=agreed]").remove(0);
    assert!(agreed.parse::<f64>().unwrap() >= 4.0, "two hours at the price: {agreed}");

    app.price("g6e.xlarge", 3.0).await;
    let dearer = app.form("/runs", &with(&[ON_CLUSTER[0], ON_CLUSTER[1], ("agreed", &agreed)])).await;
    assert_eq!(dearer.status, StatusCode::OK, "a price that rose meanwhile is named first");
    assert_eq!(app.get("/api/v1/runs").await.json()["runs"], json!([]));
    let agreed = dearer.values("[name=agreed]").remove(0);
    let started = app.form("/runs", &with(&[ON_CLUSTER[0], ON_CLUSTER[1], ("agreed", &agreed)])).await;
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.text);
}

#[tokio::test]
async fn what_was_measured_already_is_offered() {
    let app = TestApp::new().await;
    let run_id = app.succeeded().await;
    let link = format!("/runs/{run_id}");
    let offered = |answer: &crate::harness::Answer| {
        answer.text.contains(&format!("<a href=\"{link}\">show its results</a>"))
    };
    assert!(offered(&app.form("/runs/check", &FORM).await), "the very same");
    for (change, same) in [
        (("concurrency", "4"), true),
        (("min_requests", "100"), true),
        (("timeout_min", "30"), true),
        (("min_requests", "100000"), false),
        (("concurrency", "4, 8"), false),
        (("output_tokens", "65"), false),
        (("quantization", "fp8"), false),
    ] {
        let page = app.form("/runs/check", &with(&[change])).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(offered(&page), same, "{change:?}: {:?}", page.texts("#panel"));
    }
}

#[tokio::test]
async fn a_dataset_comes_with_the_form_or_its_bad_line_is_named() {
    let app = TestApp::new().await;
    let bad = ("My Chats.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": \"\"}\n");
    for path in ["/runs", "/runs/check"] {
        let page = app.form_with_file(path, &FORM, bad).await;
        let said = page.texts("#dataset_file-complaint");
        assert!(said.len() == 1 && said[0].contains("line 2: the prompt is empty"), "{said:?}");
        assert_eq!(page.texts("#dataset-complaint").len(), 0);
    }
    let taken = app.form_with_file("/runs", &FORM, ("standard.jsonl", "{\"prompt\": \"a\"}")).await;
    assert!(taken.texts("#dataset_file-complaint")[0].contains("rename the file"));

    let good = ("My Chats.jsonl", "{\"prompt\": \"Tell me of the moon.\"}\n");
    let answer = app.form_with_file("/runs", &FORM, good).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let run = app.get(&format!("/api/v1{}", answer.header("location"))).await.json();
    assert_eq!(run["spec"]["workload"]["dataset"], "my-chats");
    let none = app.form_with_file("/runs", &FORM, ("", "")).await;
    assert_eq!(none.status, StatusCode::SEE_OTHER, "browsers send an empty file where none was chosen");
    let large = "x".repeat(2 * 1024 * 1024);
    let refused = app.form_with_file("/runs", &FORM, ("large.jsonl", &large)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}
