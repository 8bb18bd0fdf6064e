//! A scripted intake that remembers what it was told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadPlan, LoadProgress, LoadReport};
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

pub(crate) const TOKEN: &str = "the-token-of-this-run";

#[derive(Clone)]
pub(crate) struct MockApi {
    pub(crate) url: Url,
    inner: Arc<Inner>,
}

struct Inner {
    plan: LoadPlan,
    dataset: Vec<u8>,
    answers: Mutex<Answers>,
    heard: Mutex<Heard>,
}

/// Statuses to answer with, one after the other, before the usual ones.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) plan: VecDeque<StatusCode>,
    pub(crate) reports: VecDeque<StatusCode>,
    pub(crate) progress: VecDeque<StatusCode>,
}

/// What the load generator told.
#[derive(Default, Clone)]
pub(crate) struct Heard {
    pub(crate) attempts: usize,
    pub(crate) reports: Vec<(u32, LoadReport)>,
    pub(crate) progress: Vec<LoadProgress>,
    pub(crate) failures: Vec<String>,
    pub(crate) conclusions: Vec<Conclusion>,
}

impl MockApi {
    pub(crate) async fn start(plan: LoadPlan, dataset: Vec<u8>, answers: Answers) -> Self {
        let run = plan.run_id;
        let inner = Arc::new(Inner { plan, dataset, answers: Mutex::new(answers), heard: Mutex::default() });
        let intake = Router::new()
            .route("/plan", get(give_plan))
            .route("/dataset", get(give_dataset))
            .route("/progress", post(hear_progress))
            .route("/reports/{index}", put(hear_report))
            .route("/failure", post(hear_failure))
            .route("/conclusion", put(hear_conclusion))
            .layer(middleware::from_fn(check_token))
            .with_state(Arc::clone(&inner));
        let router = Router::new().nest(&format!("/api/v1/intake/{run}"), intake);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub(crate) fn heard(&self) -> Heard {
        self.inner.heard.lock().unwrap().clone()
    }
}

async fn check_token(request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if token == Some(&format!("Bearer {TOKEN}")) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn give_plan(State(inner): State<Arc<Inner>>) -> Response {
    match inner.answers.lock().unwrap().plan.pop_front() {
        Some(status) => status.into_response(),
        None => Json(&inner.plan).into_response(),
    }
}

async fn give_dataset(State(inner): State<Arc<Inner>>) -> Bytes {
    inner.dataset.clone().into()
}

async fn hear_progress(State(inner): State<Arc<Inner>>, Json(progress): Json<LoadProgress>) -> StatusCode {
    inner.heard.lock().unwrap().progress.push(progress);
    inner.answers.lock().unwrap().progress.pop_front().unwrap_or(StatusCode::NO_CONTENT)
}

async fn hear_report(
    State(inner): State<Arc<Inner>>,
    Path(index): Path<u32>,
    Json(report): Json<LoadReport>,
) -> StatusCode {
    let status = inner.answers.lock().unwrap().reports.pop_front().unwrap_or(StatusCode::CREATED);
    let mut heard = inner.heard.lock().unwrap();
    heard.attempts += 1;
    if status.is_success() {
        heard.reports.push((index, report));
    }
    status
}

async fn hear_conclusion(State(inner): State<Arc<Inner>>, Json(conclusion): Json<Conclusion>) -> StatusCode {
    inner.heard.lock().unwrap().conclusions.push(conclusion);
    StatusCode::NO_CONTENT
}

async fn hear_failure(State(inner): State<Arc<Inner>>, Json(failure): Json<Value>) -> StatusCode {
    inner.heard.lock().unwrap().failures.push(failure["reason"].as_str().unwrap().to_owned());
    StatusCode::NO_CONTENT
}
