//! A scripted OpenAI-compatible engine that remembers what it was asked.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// How the engine answers a request.
pub(crate) enum Answer {
    /// With a status other than 200.
    Status(u16, &'static str),
    /// With a stream of events.
    Stream(Vec<Step>),
}

/// A part of a streamed answer.
pub(crate) enum Step {
    /// Writes an event with this data.
    Event(String),
    /// Waits.
    Wait(Duration),
    /// Breaks the connection.
    Abort,
    /// Leaves the connection open without a word.
    Hang,
}

/// Answers a request: its number, counted from 0, and its body.
pub(crate) type Script = fn(usize, &Value) -> Answer;

#[derive(Clone)]
pub(crate) struct MockEngine {
    pub(crate) url: Url,
    inner: Arc<Inner>,
}

struct Inner {
    script: Script,
    requests: Mutex<Vec<Value>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// Characters of a token of this engine, which begins each prompt with one token of its own.
const CHARACTERS_PER_TOKEN: usize = 3;

fn count_tokens(text: &str) -> usize {
    1 + text.chars().count().div_ceil(CHARACTERS_PER_TOKEN)
}

impl MockEngine {
    /// An engine that can count tokens.
    pub(crate) async fn start(script: Script) -> Self {
        Self::serve(script, Router::new().route("/tokenize", post(tokenize))).await
    }

    /// An engine that has no `/tokenize`.
    pub(crate) async fn start_without_tokenizer(script: Script) -> Self {
        Self::serve(script, Router::new()).await
    }

    async fn serve(script: Script, router: Router<Arc<Inner>>) -> Self {
        let inner = Arc::new(Inner {
            script,
            requests: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        });
        let router = router.route("/v1/completions", post(completions)).with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        // Without this, small writes wait for the acknowledgement of the one before.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// The bodies of all requests so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.inner.requests.lock().unwrap().clone()
    }

    /// The most requests that were ever in flight at a time.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.inner.most_in_flight.load(Ordering::SeqCst)
    }
}

async fn tokenize(Json(body): Json<Value>) -> Json<Value> {
    Json(json!({"count": count_tokens(body["prompt"].as_str().unwrap())}))
}

async fn completions(State(inner): State<Arc<Inner>>, Json(body): Json<Value>) -> Response {
    let number = {
        let mut requests = inner.requests.lock().unwrap();
        requests.push(body.clone());
        requests.len() - 1
    };
    if body["stream"] != true {
        let prompt_tokens = count_tokens(body["prompt"].as_str().unwrap());
        let usage = json!({"prompt_tokens": prompt_tokens, "completion_tokens": 1});
        return Json(json!({"choices": [{"text": "a"}], "usage": usage})).into_response();
    }
    match (inner.script)(number, &body) {
        Answer::Status(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Answer::Stream(steps) => {
            let guard = InFlight::enter(&inner);
            // The guard ends with the stream.
            let writes = stream::iter(steps).filter_map(perform).map(move |write| {
                let _held = &guard;
                write
            });
            ([("content-type", "text/event-stream")], Body::from_stream(writes)).into_response()
        }
    }
}

async fn perform(step: Step) -> Option<io::Result<Bytes>> {
    match step {
        Step::Event(data) => Some(Ok(format!("data: {data}\n\n").into())),
        Step::Wait(duration) => {
            tokio::time::sleep(duration).await;
            None
        }
        Step::Abort => Some(Err(io::Error::other("aborted"))),
        Step::Hang => match pending::<Infallible>().await {},
    }
}

struct InFlight(Arc<Inner>);

impl InFlight {
    fn enter(inner: &Arc<Inner>) -> Self {
        let now = inner.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        inner.most_in_flight.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(inner))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How a good answer is cut into chunks.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) tokens_per_chunk: u64,
    /// Whether each chunk carries the count so far.
    pub(crate) running_usage: bool,
    /// Whether every second chunk shows no text.
    pub(crate) withhold_text: bool,
    pub(crate) ttft: Duration,
    pub(crate) gap: Duration,
}

pub(crate) const PLAIN: Shape = Shape {
    tokens_per_chunk: 1,
    running_usage: true,
    withhold_text: false,
    ttft: Duration::from_millis(10),
    gap: Duration::from_millis(2),
};

/// An answer of the asked length.
pub(crate) fn good(body: &Value, shape: Shape) -> Vec<Step> {
    let tokens = body["max_tokens"].as_u64().unwrap();
    let prompt_tokens = count_tokens(body["prompt"].as_str().unwrap());
    let usage = |so_far: u64| json!({"prompt_tokens": prompt_tokens, "completion_tokens": so_far});
    let (mut steps, mut so_far) = (vec![Step::Wait(shape.ttft)], 0);
    while so_far < tokens {
        so_far = (so_far + shape.tokens_per_chunk).min(tokens);
        let text = if shape.withhold_text && so_far % 2 == 1 { "" } else { "word" };
        let finish_reason = if so_far == tokens { json!("length") } else { Value::Null };
        let mut event = json!({"choices": [{"text": text, "finish_reason": finish_reason}]});
        if shape.running_usage {
            event["usage"] = usage(so_far);
        }
        steps.extend([Step::Event(event.to_string()), Step::Wait(shape.gap)]);
    }
    steps.push(Step::Event(json!({"choices": [], "usage": usage(tokens)}).to_string()));
    steps.push(Step::Event("[DONE]".to_owned()));
    steps
}
