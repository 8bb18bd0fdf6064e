//! The timeline as a list and as a stream, and the logs.

use accelbench_core::run::{Transition, Verdict};
use accelbench_store::logs::{self, LogSource};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;

use crate::harness::{Answer, TestApp, step};

impl TestApp {
    async fn stream(&self, path: &str, last_event_id: Option<&str>) -> Answer {
        let mut request = Request::get(path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

/// The values of one field of a stream, in order.
fn fields(answer: &Answer, name: &str) -> Vec<String> {
    let start = format!("{name}: ");
    answer.text.lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}

#[tokio::test]
async fn events_are_listed_in_order() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let list = app.get(&format!("/api/v1/runs/{run_id}/events")).await.json();
    let phases: Vec<&str> =
        list["events"].as_array().unwrap().iter().map(|event| event["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["queued", "deploying", "awaiting_ready", "loading"]);
}

#[tokio::test]
async fn a_stream_tells_everything_and_ends_with_the_run() {
    let app = TestApp::new().await;
    let run_id = app.failed("the engine ran out of memory").await;
    let path = format!("/api/v1/runs/{run_id}/events");
    let stream = app.stream(&path, None).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!(fields(&stream, "id"), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(fields(&stream, "event").last().map(String::as_str), Some("done"));
    let told: Value = serde_json::from_str(&fields(&stream, "data")[4]).unwrap();
    assert!(told["message"].as_str().unwrap().contains("out of memory"));

    let resumed = app.stream(&path, Some("4")).await;
    assert_eq!(fields(&resumed, "id"), ["5", "6"], "what was seen before is not told again");
}

#[tokio::test]
async fn a_stream_tells_what_happens_while_it_is_open() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let path = format!("/api/v1/runs/{run_id}/events");
    let end = async {
        let mut connection = app.database.pool.begin().await.unwrap();
        step(&mut connection, run_id, Transition::End(Verdict::Cancelled), None).await;
        step(&mut connection, run_id, Transition::TornDown, None).await;
        connection.commit().await.unwrap();
    };
    let (stream, ()) = tokio::join!(app.stream(&path, None), end);
    assert_eq!(stream.status, StatusCode::OK);
    assert_eq!(fields(&stream, "id"), ["1", "2", "3"]);
    assert_eq!(fields(&stream, "event").last().map(String::as_str), Some("done"));
}

#[tokio::test]
async fn logs_are_texts_of_their_own() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let path = format!("/api/v1/runs/{run_id}/logs/engine");
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    let mut connection = app.database.pool.acquire().await.unwrap();
    logs::put(&mut connection, run_id, LogSource::Engine, "<b>ready</b>\n", false).await.unwrap();
    let log = app.get(&path).await;
    assert_eq!((log.header("content-type"), &*log.text), ("text/plain; charset=utf-8", "<b>ready</b>\n"));
    assert_eq!(log.header("x-content-type-options"), "nosniff");
}
