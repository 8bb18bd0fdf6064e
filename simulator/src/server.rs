//! The HTTP side: OpenAI's API as vLLM speaks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{AUTHORIZATION, SERVER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};

use crate::SimulatorOptions;
use crate::clock::EngineHandle;

mod about;
mod answer;
mod body;
mod generate;
mod job;
mod refusal;
mod shape;
mod stream;
mod whole;

use refusal::Refusal;

/// A prompt of the longest context as token ids stays below this.
const LARGEST_BODY_BYTES: usize = 16 * 1024 * 1024;

/// What every handler needs.
#[derive(Debug)]
pub(crate) struct Simulator {
    options: SimulatorOptions,
    max_context: u32,
    engine: EngineHandle,
    started: Instant,
    started_at: DateTime<Utc>,
    requests: AtomicU64,
}

impl Simulator {
    pub(crate) fn new(options: SimulatorOptions, max_context: u32, engine: EngineHandle) -> Self {
        Self {
            options,
            max_context,
            engine,
            started: Instant::now(),
            started_at: Utc::now(),
            requests: AtomicU64::new(0),
        }
    }

    /// The number of the next request, from 0.
    fn next_number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether a request brings the key that is asked for.
    fn admits(&self, request: &Request) -> bool {
        let Some(key) = self.options.api_key.as_ref().filter(|_| request.uri().path().starts_with("/v1/"))
        else {
            return true;
        };
        let brought = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        brought.and_then(|value| value.strip_prefix("Bearer ")) == Some(key)
    }

    fn is_ready(&self) -> bool {
        self.started.elapsed() >= Duration::from_millis(self.options.faults.start_delay_ms)
    }
}

/// All routes.
pub(crate) fn router(simulator: Simulator) -> Router {
    let simulator = Arc::new(simulator);
    Router::new()
        .route("/v1/completions", post(generate::completions))
        .route("/v1/chat/completions", post(generate::chat))
        .route("/v1/models", get(about::models))
        .route("/health", get(about::health))
        .route("/version", get(about::version))
        .route("/metrics", get(about::metrics))
        .route("/tokenize", post(about::tokenize))
        .fallback(|| async { Refusal::not_found("Not Found") })
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&simulator), answer_when_ready))
        .with_state(simulator)
}

/// Answers 503 before the slow start is over and after the engine's death, and 401 without the key; names the server.
async fn answer_when_ready(
    State(simulator): State<Arc<Simulator>>,
    request: Request,
    next: Next,
) -> Response {
    let unavailable = |message: &str| {
        let kind = "ServiceUnavailableError";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, kind, message).into_response()
    };
    let mut response = if !simulator.engine.is_alive() {
        unavailable("the engine is dead")
    } else if !simulator.is_ready() {
        unavailable("the engine is still starting")
    } else if !simulator.admits(&request) {
        Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", "the API key is missing or wrong")
            .into_response()
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(SERVER, HeaderValue::from_static("accelbench-simulator"));
    response
}

#[cfg(test)]
mod tests;
