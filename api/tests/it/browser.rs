//! What protects a person at a browser.

use axum::body::Body;
use axum::http::{Request, StatusCode};

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
