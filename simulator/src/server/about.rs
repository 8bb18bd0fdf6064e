//! What the simulator says of itself: health, version, model, counters, and how it counts tokens.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::body::{self, Message};
use super::job::check_model;
use super::refusal::Refusal;
use crate::{VERSION, tokenizer};

/// `GET /health`: 200 and nothing else; what is not healthy never comes here.
pub(super) async fn health() -> StatusCode {
    StatusCode::OK
}

/// `GET /version`.
pub(super) async fn version() -> Json<Value> {
    Json(json!({ "version": VERSION }))
}

/// `GET /v1/models`.
pub(super) async fn models(State(simulator): State<Arc<Simulator>>) -> Json<Value> {
    let created = simulator.started_at.timestamp();
    let model = &simulator.options.model;
    Json(json!({
        "object": "list",
        "data": [{
            "id": model,
            "object": "model",
            "created": created,
            "owned_by": "accelbench-simulator",
            "root": model,
            "parent": null,
            "max_model_len": simulator.max_context,
            "permission": [],
        }],
    }))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(simulator): State<Arc<Simulator>>) -> impl IntoResponse {
    let text = simulator.engine.metrics().to_text(&simulator.options.model);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// Body of `/tokenize`: a text, or the messages of a chat, to which the chat template is applied.
#[derive(Debug, Deserialize)]
struct TokenizeBody {
    model: Option<String>,
    prompt: Option<String>,
    messages: Option<Vec<Message>>,
}

/// `POST /tokenize`.
pub(super) async fn tokenize(
    State(simulator): State<Arc<Simulator>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let body: TokenizeBody = body::read(body)?;
    check_model(&simulator, body.model.as_deref())?;
    let text = match (body.prompt, body.messages) {
        (Some(prompt), _) => prompt,
        (None, Some(messages)) => body::chat_prompt(&messages)?,
        (None, None) => return Err(Refusal::bad_request(Some("prompt"), "prompt is missing")),
    };
    let tokens = tokenizer::tokenize(&text);
    Ok(Json(json!({
        "count": tokens.len(),
        "max_model_len": simulator.max_context,
        "tokens": tokens,
        "token_strs": null,
    })))
}
