//! What protects a person at a browser.

use accelbench_store::secrets::SecretKey;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::{TimeDelta, Utc};

use crate::harness::TestApp;

#[tokio::test]
async fn another_site_cannot_start_or_cancel_a_run() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    for path in
        ["/runs".to_owned(), format!("/runs/{run_id}/cancel"), format!("/api/v1/runs/{run_id}/cancel")]
    {
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let request = Request::post(&path).header("host", "bench:8080").header(name, value);
            let answer = app.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with {name}");
        }
    }
    assert!(app.get(&format!("/api/v1/runs/{run_id}")).await.json()["cancel_requested_at"].is_null());
}

#[tokio::test]
async fn a_form_is_taken_only_with_the_token_of_our_own_pages() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let foreign = SecretKey::generate().form_token(Utc::now());
    let old = app.key.form_token(Utc::now() - TimeDelta::days(3));
    for path in ["/runs".to_owned(), "/runs/check".to_owned()]
        .into_iter()
        .chain(["cancel", "requeue", "retry"].map(|what| format!("/runs/{run_id}/{what}")))
    {
        for token in ["", "1-00", &foreign, &old] {
            let answer = app.form_with_token(&path, token, &[("model", "meta-llama/Llama-3.1-8B")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with `{token}`");
            assert!(answer.texts("[role=alert]")[0].contains("nothing was changed"), "{}", answer.text);
        }
    }
    let runs = app.get("/api/v1/runs").await.json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    assert!(runs["runs"][0]["cancel_requested_at"].is_null());
    for path in ["/runs/new".to_owned(), format!("/runs/{run_id}")] {
        let page = app.get(&path).await;
        let (forms, tokens) = (
            "form[method=post]",
            "form[method=post] > [name=form_token], form[method=post] > div > [name=form_token]",
        );
        assert_eq!(page.texts(forms).len(), page.texts(tokens).len(), "every form of {path} has a token");
        assert!(!page.texts(forms).is_empty());
    }
}

#[tokio::test]
async fn pages_allow_no_foreign_and_no_inline_code() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    for path in ["/".to_owned(), "/runs/new".to_owned(), format!("/runs/{run_id}")] {
        let page = app.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for forbidden in [" style=", "hx-on", "<style", "js:", " onclick=", "https://"] {
            assert!(!page.text.contains(forbidden), "{forbidden}");
        }
    }
}
