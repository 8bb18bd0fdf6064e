//! What holds for every client: so many requests, so large bodies, ids of requests, and answers that are known already.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::harness::{Answer, TestApp, request};

async fn from(app: &TestApp, client: &str, path: &str) -> Answer {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo::<SocketAddr>(client.parse().unwrap()));
    app.send(request).await
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_again() {
    let app = TestApp::with_options(|options| options.max_requests_per_s = 1).await;
    for _ in 0..10 {
        assert_eq!(from(&app, "192.0.2.1:1", "/api/v1/engines").await.status, StatusCode::OK);
    }
    let refused = from(&app, "192.0.2.1:2", "/api/v1/engines").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(from(&app, "192.0.2.2:1", "/api/v1/engines").await.status, StatusCode::OK, "another client");
    assert_eq!(from(&app, "192.0.2.1:1", "/healthz").await.status, StatusCode::OK, "a probe");
    let intake = "/api/v1/intake/01900000-0000-7000-8000-000000000000/plan";
    assert_eq!(from(&app, "192.0.2.1:1", intake).await.status, StatusCode::UNAUTHORIZED, "a load generator");
}

#[tokio::test]
async fn bodies_are_as_large_as_the_operator_allows() {
    let app = TestApp::with_options(|options| options.max_body_kib = 1).await;
    let mut large = request();
    large["submitted_by"] = json!("x".repeat(2000));
    let answer = app.post("/api/v1/runs", &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text);
    assert!(answer.json()["hint"].as_str().unwrap().contains("accelbench serve --help"));
}

#[tokio::test]
async fn a_request_keeps_the_id_that_it_came_with() {
    let app = TestApp::new().await;
    let ask = async |id: &str| {
        let request = Request::get("/api/v1/nothing").header("x-request-id", id).body(Body::empty());
        app.send(request.unwrap()).await
    };
    let answer = ask("deploy-7").await;
    assert_eq!(answer.header("x-request-id"), "deploy-7");
    assert_eq!(answer.json()["request_id"], "deploy-7");
    let made = ask("two words").await;
    assert_eq!(made.header("x-request-id").len(), 36, "what cannot stand in a log is replaced");
    assert_eq!(made.json()["request_id"], made.header("x-request-id"));
}

#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let app = TestApp::new().await;
    app.price("g6e.xlarge", 3.6).await;
    app.succeeded().await;
    for path in ["/api/v1/catalog?origin=simulated", "/api/v1/models", "/api/v1/openapi.json"] {
        let first = app.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        let again = async || {
            app.send(Request::get(path).header("if-none-match", &tag).body(Body::empty()).unwrap()).await
        };
        let known = again().await;
        assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        assert_eq!(known.header("etag"), tag);
        if path.contains("catalog") {
            app.succeeded().await;
            assert_eq!(again().await.status, StatusCode::OK, "a new result is current");
        }
    }
}

#[tokio::test]
async fn the_api_is_described_for_people_without_scripts() {
    let app = TestApp::new().await;
    let page = app.get("/api/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.texts("h3 code").iter().any(|heading| heading == "POST /api/v1/runs"));
    for target in page.texts("a[href='#schema-Run'] code") {
        assert!(target.contains("Run"), "{target}");
    }
    assert_eq!(page.texts("[id='schema-Run']").len(), 1);
    let missing = app.get("/api/nothing").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
