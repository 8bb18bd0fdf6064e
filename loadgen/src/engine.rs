//! The engine under test, over HTTP: one request in, one sample out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use accelbench_core::dataset::{Content, Dataset, Message};
use accelbench_core::load::{ErrorClass, LoadPlan};
use accelbench_core::workload::EosPolicy;
use anyhow::bail;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::access::Access;
use crate::prompts::PreparedPrompt;
use crate::sample::{Asked, Failure, Sample};

mod body;
mod http;
mod reader;
pub(crate) mod tokenizer;

use body::RequestBody;
pub(crate) use http::Connection;
use http::{Broken, Incoming, Target};
use reader::AnswerReader;

/// After `[DONE]` only the end of the HTTP body is missing, which frees the connection; some engines never send it.
const PATIENCE_AFTER_DONE: Duration = Duration::from_secs(1);

/// What is read of the words with which an engine refuses a request.
const MOST_REFUSAL: usize = 4096;

/// Attempts of a small request outside the measurement, to an engine that answers with errors or never answered yet.
const ATTEMPTS: u32 = 4;

/// How long one that has answered before may be out of reach between two load points: networks of clusters come back.
const PATIENCE_WITH_KNOWN: Duration = Duration::from_secs(90);

/// The engine of a plan.
#[derive(Clone)]
pub(crate) struct Engine {
    /// For small requests outside the measurement.
    client: Client,
    base_url: Url,
    completions: Target,
    chat: Target,
    /// Requests that met a connection which the engine had given up, and were sent again.
    resent: Arc<AtomicU64>,
    /// Whether a small request was answered.
    has_answered: Arc<AtomicBool>,
    model: String,
    eos: EosPolicy,
    seed: u64,
    timeout: Duration,
    /// Whether each chunk is asked to carry the count of tokens so far.
    running_usage: bool,
}

impl Engine {
    /// Finds out with a small request of the kind of `dataset` what the engine of `plan` takes.
    ///
    /// # Errors
    /// The engine refuses the request in every form. Whatever else goes wrong is left for the load to find.
    pub(crate) async fn connect(plan: &LoadPlan, dataset: &Dataset, access: &Access) -> anyhow::Result<Self> {
        let mut engine = Self::new(plan, access)?;
        let asked = Asked { input_tokens: None, output_tokens: 2, known_tokens: 0 };
        let content = match dataset {
            Dataset::Prompts(prompts) if prompts.iter().any(|prompt| prompt.content.is_chat()) => {
                Content::Messages(vec![Message { role: "user".to_owned(), content: "Hello".to_owned() }])
            }
            _ => Content::Text("Hello".to_owned()),
        };
        let prompt = PreparedPrompt { content, asked, is_turn: false };
        let (mut refusal, mut connection) = (String::new(), Connection::default());
        for running_usage in [true, false] {
            engine.running_usage = running_usage;
            match engine.request(&mut connection, &prompt, Instant::now()).await.outcome {
                Err(failure) if failure.class == ErrorClass::Refused => refusal = failure.message,
                _ => return Ok(engine),
            }
        }
        bail!("the engine refuses a small request: {refusal}")
    }

    fn new(plan: &LoadPlan, access: &Access) -> anyhow::Result<Self> {
        let api_key = access.api_key.as_ref();
        let mut headers = HeaderMap::new();
        if let Some(key) = api_key {
            let mut value = HeaderValue::try_from(key.bearer())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder()
            .http1_only()
            .default_headers(headers)
            .tcp_nodelay(true)
            .no_proxy()
            // An idle connection holds a thread of some engines, which the load would then wait for.
            .pool_max_idle_per_host(0)
            .connect_timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            client,
            completions: Target::post(&plan.base_url.join("v1/completions")?, api_key)?,
            chat: Target::post(&plan.base_url.join("v1/chat/completions")?, api_key)?,
            base_url: plan.base_url.clone(),
            resent: Arc::default(),
            has_answered: Arc::default(),
            model: plan.served_model_name.clone(),
            eos: plan.workload.eos,
            seed: plan.workload.seed,
            timeout: access.request_timeout,
            running_usage: true,
        })
    }

    /// Requests sent again so far, of all load points.
    pub(crate) fn resent(&self) -> u64 {
        self.resent.load(Ordering::Relaxed)
    }

    /// Sends one request over the user's connection and reads its answer to the end. `base` is the moment from which the
    /// sample counts.
    pub(crate) async fn request(
        &self,
        connection: &mut Connection,
        prompt: &PreparedPrompt,
        base: Instant,
    ) -> Sample {
        // Everything that takes time is done before the send is stamped.
        let request = match self.build(prompt) {
            Ok(request) => request,
            Err(failure) => return Sample { sent_at: base.elapsed(), outcome: Err(failure) },
        };
        loop {
            if let Err(error) = connection.ready(self.target(prompt)).await {
                let failure =
                    Failure::new(ErrorClass::Connection, format!("no connection to the engine ({error})"));
                return Sample { sent_at: base.elapsed(), outcome: Err(failure) };
            }
            let sent_at = base.elapsed();
            let exchange = self.exchange(connection, &request, prompt, base);
            let outcome = match timeout(self.timeout, exchange).await {
                // Not the engine's failure: the same request begins anew on a new connection, which is never stale.
                Ok(Err(Ended::Stale)) => {
                    self.resent.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Ok(Err(Ended::Failed(failure))) => Err(failure),
                Ok(Ok((reader, incoming))) => {
                    end(incoming, base).await;
                    reader.finish()
                }
                Err(_elapsed) => {
                    let message = format!("a request took longer than {} s", self.timeout.as_secs());
                    Err(Failure::new(ErrorClass::Timeout, message))
                }
            };
            return Sample { sent_at, outcome };
        }
    }

    async fn exchange<'a>(
        &self,
        connection: &'a mut Connection,
        request: &[u8],
        prompt: &PreparedPrompt,
        base: Instant,
    ) -> Result<(AnswerReader, Incoming<'a>), Ended> {
        let mut incoming = connection.send(request).await?;
        let mut reader = AnswerReader::new(prompt.asked, prompt.is_turn);
        let (mut refusal, mut understood, mut more) = (Vec::new(), Ok(()), true);
        while more && understood.is_ok() && !reader.is_done() {
            let take = |status: u16, part: &[u8], read_at| {
                if !(200..300).contains(&status) {
                    let room = MOST_REFUSAL.saturating_sub(refusal.len()).min(part.len());
                    refusal.extend_from_slice(&part[..room]);
                } else if understood.is_ok() {
                    understood = reader.read(part, read_at);
                }
            };
            more = incoming.read(base, take).await?;
        }
        understood?;
        refuse_bad_status(incoming.status(), &refusal)?;
        Ok((reader, incoming))
    }

    fn build(&self, prompt: &PreparedPrompt) -> Result<Vec<u8>, Failure> {
        let body = serde_json::to_vec(&RequestBody::new(self, prompt));
        let body = body.map_err(|error| Failure::new(ErrorClass::Malformed, error.to_string()))?;
        Ok(self.target(prompt).request(&body))
    }

    fn target(&self, prompt: &PreparedPrompt) -> &Target {
        if prompt.content.is_chat() { &self.chat } else { &self.completions }
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        self.base_url.join(path).map_err(|error| format!("the engine's address is unusable: {error}"))
    }

    /// Posts a small JSON request outside the measurement, some times if need be; `None` when there is no answer.
    async fn post(&self, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let began = Instant::now();
        for attempt in 1.. {
            let request = self.client.post(self.url(path).ok()?).timeout(Duration::from_mins(1)).json(body);
            match request.send().await {
                Ok(response) if !response.status().is_server_error() || attempt >= ATTEMPTS => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    let status = response.status();
                    return Some((status, response.json().await.unwrap_or(Value::Null)));
                }
                Err(_) if attempt >= ATTEMPTS && !self.is_waited_for(began) => return None,
                _ => tokio::time::sleep(Duration::from_millis(100) * attempt.min(10)).await,
            }
        }
        None
    }

    fn is_waited_for(&self, began: Instant) -> bool {
        self.has_answered.load(Ordering::Relaxed) && began.elapsed() < PATIENCE_WITH_KNOWN
    }
}

/// How an exchange ends without an answer.
enum Ended {
    /// The engine had closed the connection before the request came.
    Stale,
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        let class = match broken {
            Broken::Stale => return Self::Stale,
            Broken::BeforeAnswer(_) => ErrorClass::Connection,
            Broken::InAnswer => ErrorClass::Incomplete,
            Broken::NotHttp(_) => ErrorClass::Malformed,
        };
        Self::Failed(Failure::new(class, broken.to_string()))
    }
}

/// Reads the rest of a body. Nothing in it counts: an engine that lets the connection hang has answered all the same.
async fn end(mut incoming: Incoming<'_>, base: Instant) {
    let rest = async { while incoming.read(base, |_, _, _| ()).await.unwrap_or(false) {} };
    let _ = timeout(PATIENCE_AFTER_DONE, rest).await;
}

fn refuse_bad_status(status: Option<u16>, body: &[u8]) -> Result<(), Failure> {
    let class = match status {
        Some(200..300) | None => return Ok(()),
        Some(400..500) => ErrorClass::Refused,
        Some(_) => ErrorClass::ServerError,
    };
    let status = status.map_or_else(String::new, |status| status.to_string());
    let body: String = String::from_utf8_lossy(body).chars().take(300).collect();
    Err(Failure::new(class, format!("the engine answered {status}: {}", body.trim())))
}
