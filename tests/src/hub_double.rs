//! A Hugging Face Hub on this machine that answers as it is told and remembers what it was asked.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde_json::{Value, json};
use url::Url;

use crate::double;

/// The commit of the double's only model.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the Hub was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// How many requests came before.
    pub number: usize,
    /// Path and query, as they came.
    pub target: String,
    /// The header of that name.
    pub authorization: Option<String>,
}

/// What the Hub answers.
pub enum Answer {
    /// A success.
    Json(Value),
    /// A status with these headers and this body.
    Text(u16, Vec<(&'static str, String)>, String),
    /// A beginning, and then the connection breaks.
    Truncated(&'static str),
    /// Nothing, for ever.
    Silence,
}

/// The Hub.
pub struct HubDouble {
    /// Its address.
    pub url: Url,
    inner: Arc<Inner>,
}

struct Inner {
    script: Box<dyn Fn(&Asked) -> Answer + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
}

impl HubDouble {
    /// Starts a Hub that answers as `script` says.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner { script: Box::new(script), asked: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let url = double::serve(router).await?;
        Ok(Self { url, inner })
    }

    /// A Hub with one model, of this description and configuration.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn with(description: Value, configuration: Value) -> anyhow::Result<Self> {
        Self::start(move |asked| {
            if asked.target.starts_with("/api/models/") {
                Answer::Json(description.clone())
            } else if asked.target.ends_with("/config.json") {
                Answer::Json(configuration.clone())
            } else {
                refusal(404, "EntryNotFound", "Entry not found")
            }
        })
        .await
    }

    /// All that it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The addresses of all that it was asked so far.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let authorization = request.headers().get("authorization");
    let authorization = authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let asked = {
        let mut all = inner.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = Asked { number: all.len(), target: request.uri().to_string(), authorization };
        all.push(asked.clone());
        asked
    };
    match (inner.script)(&asked) {
        Answer::Json(json) => {
            let headers = vec![("content-type", "application/json".to_owned())];
            response(200, &headers, Body::from(json.to_string()))
        }
        Answer::Text(status, headers, text) => response(status, &headers, Body::from(text)),
        Answer::Truncated(beginning) => {
            let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(beginning.as_bytes()))]);
            response(200, &[("content-length", "1000".to_owned())], Body::from_stream(body))
        }
        Answer::Silence => std::future::pending().await,
    }
}

/// A script's slip is answered as such, so that the test fails and not the double.
fn response(status: u16, headers: &[(&'static str, String)], body: Body) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let Ok(value) = value.parse() else {
            return (StatusCode::NOT_IMPLEMENTED, format!("`{value}` is no header")).into_response();
        };
        map.insert(*name, value);
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED);
    let mut response = (status, body).into_response();
    response.headers_mut().extend(map);
    response
}

/// An error as the Hub answers it: a code and a message in headers, the message once more in the body.
#[must_use]
pub fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let headers = vec![("x-error-code", code.to_owned()), ("x-error-message", message.to_owned())];
    Answer::Text(status, headers, json!({"error": message}).to_string())
}

/// The description of an open model, with what the Hub says beside what is used.
#[must_use]
pub fn description() -> Value {
    json!({
        "_id": "680f", "id": "Qwen/Qwen3-8B", "modelId": "Qwen/Qwen3-8B", "author": "Qwen", "sha": COMMIT,
        "lastModified": "2025-07-26T03:49:13.000Z", "private": false, "gated": false, "disabled": false,
        "pipeline_tag": "text-generation", "library_name": "transformers", "downloads": 3_900_000,
        "tags": ["transformers", "safetensors", "qwen3", "license:apache-2.0", "region:us"],
        "cardData": {"library_name": "transformers", "license": "apache-2.0", "pipeline_tag": "text-generation"},
        "config": {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "tokenizer_config": {}},
        "safetensors": {"parameters": {"BF16": 8_190_735_360_u64}, "total": 8_190_735_360_u64},
        "siblings": [
            {"rfilename": ".gitattributes", "size": 1570, "blobId": "52373fe2"},
            {"rfilename": "config.json", "size": 728},
            {"rfilename": "model-00001-of-00002.safetensors", "size": 8_000_000_000_u64,
                "lfs": {"sha256": "31d6a825", "size": 8_000_000_000_u64, "pointerSize": 135}},
            {"rfilename": "model-00002-of-00002.safetensors", "size": 8_381_516_000_u64},
            {"rfilename": "model.safetensors.index.json", "size": 32_878},
        ],
        "spaces": [], "usedStorage": 16_381_516_854_u64,
    })
}

/// Its configuration.
#[must_use]
pub fn configuration() -> Value {
    json!({
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 4096,
        "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
        "intermediate_size": 12288, "vocab_size": 151_936, "max_position_embeddings": 40960,
        "rope_scaling": null, "sliding_window": null, "use_sliding_window": false,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    })
}
