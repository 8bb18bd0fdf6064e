//! The engine under test, over HTTP: one request in, one sample out.

use std::time::{Duration, Instant};

use accelbench_core::load::{ErrorClass, LoadPlan};
use accelbench_core::workload::EosPolicy;
use anyhow::bail;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::prompts::PreparedPrompt;
use crate::sample::{Asked, Failure, Sample};

mod body;
mod reader;
pub(crate) mod tokenizer;

use body::RequestBody;
use reader::AnswerReader;

/// After `[DONE]` only the end of the HTTP body is missing, which frees the connection; some engines never send it.
const PATIENCE_AFTER_DONE: Duration = Duration::from_secs(1);

/// Attempts of a small request outside the measurement.
const ATTEMPTS: u32 = 4;

/// The engine of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    client: Client,
    base_url: Url,
    model: String,
    eos: EosPolicy,
    seed: u64,
    timeout: Duration,
    /// Whether each chunk is asked to carry the count of tokens so far.
    running_usage: bool,
}

impl Engine {
    /// Finds out with a small request what the engine of `plan` takes.
    ///
    /// # Errors
    /// The engine refuses the request in every form. Whatever else goes wrong is left for the load to find.
    pub(crate) async fn connect(plan: &LoadPlan, timeout: Duration) -> anyhow::Result<Self> {
        let mut engine = Self::new(plan, timeout)?;
        let asked = Asked { input_tokens: None, output_tokens: 2 };
        let prompt = PreparedPrompt { text: "Hello".to_owned(), asked };
        let mut refusal = String::new();
        for running_usage in [true, false] {
            engine.running_usage = running_usage;
            match engine.request(&prompt, Instant::now()).await.outcome {
                Err(failure) if failure.class == ErrorClass::Refused => refusal = failure.message,
                _ => return Ok(engine),
            }
        }
        bail!("the engine refuses a small request: {refusal}")
    }

    fn new(plan: &LoadPlan, timeout: Duration) -> anyhow::Result<Self> {
        let client = Client::builder()
            .http1_only()
            .tcp_nodelay(true)
            .no_proxy()
            .pool_max_idle_per_host(usize::MAX)
            // Engines close idle connections after 5 s; a request on a socket that is being closed would fail.
            .pool_idle_timeout(Duration::from_secs(3))
            .connect_timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            client,
            base_url: plan.base_url.clone(),
            model: plan.served_model_name.clone(),
            eos: plan.workload.eos,
            seed: plan.workload.seed,
            timeout,
            running_usage: true,
        })
    }

    /// Sends one request and reads its answer to the end. `base` is the moment from which the sample counts.
    pub(crate) async fn request(&self, prompt: &PreparedPrompt, base: Instant) -> Sample {
        // Everything that takes time is done before the send is stamped.
        let request = match self.build(prompt) {
            Ok(request) => request,
            Err(failure) => return Sample { sent_at: base.elapsed(), outcome: Err(failure) },
        };
        let sent_at = base.elapsed();
        let outcome = match timeout(self.timeout, self.exchange(request, prompt, base)).await {
            Ok(Ok((reader, response))) => {
                end(response).await;
                reader.finish()
            }
            Ok(Err(failure)) => Err(failure),
            Err(_elapsed) => {
                let message = format!("a request took longer than {} s", self.timeout.as_secs());
                Err(Failure::new(ErrorClass::Timeout, message))
            }
        };
        Sample { sent_at, outcome }
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
        prompt: &PreparedPrompt,
        base: Instant,
    ) -> Result<(AnswerReader, Response), Failure> {
        let response = self.client.execute(request).await.map_err(|error| broken(&error))?;
        let mut response = refuse_bad_status(response).await?;
        let mut reader = AnswerReader::new(prompt.asked);
        while !reader.is_done() {
            let bytes = response.chunk().await;
            let read_at = base.elapsed();
            match bytes.map_err(|error| incomplete(&error))? {
                Some(bytes) => reader.read(&bytes, read_at)?,
                None => break,
            }
        }
        Ok((reader, response))
    }

    fn build(&self, prompt: &PreparedPrompt) -> Result<reqwest::Request, Failure> {
        let failure = |message: String| Failure::new(ErrorClass::Malformed, message);
        let url = self.url("v1/completions").map_err(failure)?;
        let request = self.client.post(url).json(&RequestBody::new(self, prompt)).build();
        request.map_err(|error| failure(error.to_string()))
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        self.base_url.join(path).map_err(|error| format!("the engine's address is unusable: {error}"))
    }

    /// Posts a small JSON request outside the measurement, some times if need be; `None` when there is no answer.
    async fn post(&self, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        for attempt in 1..=ATTEMPTS {
            let request = self.client.post(self.url(path).ok()?).timeout(Duration::from_mins(1)).json(body);
            match request.send().await {
                Ok(response) if !response.status().is_server_error() || attempt == ATTEMPTS => {
                    let status = response.status();
                    return Some((status, response.json().await.unwrap_or(Value::Null)));
                }
                _ => tokio::time::sleep(Duration::from_millis(100) * attempt).await,
            }
        }
        None
    }
}

/// Reads the rest of a body. Nothing in it counts: an engine that lets the connection hang has answered all the same.
async fn end(mut response: Response) {
    let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
    let _ = timeout(PATIENCE_AFTER_DONE, rest).await;
}

async fn refuse_bad_status(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let class = if status.is_client_error() { ErrorClass::Refused } else { ErrorClass::ServerError };
    let body = response.text().await.unwrap_or_default();
    let body: String = body.chars().take(300).collect();
    Err(Failure::new(class, format!("the engine answered {status}: {}", body.trim())))
}

fn broken(error: &reqwest::Error) -> Failure {
    let what = if error.is_connect() {
        "no connection to the engine"
    } else {
        "the connection broke before an answer"
    };
    Failure::new(ErrorClass::Connection, what)
}

fn incomplete(_error: &reqwest::Error) -> Failure {
    Failure::new(ErrorClass::Incomplete, "the connection broke in the middle of an answer")
}
