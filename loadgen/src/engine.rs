//! The engine under test, over HTTP: one request in, one sample out.

use std::time::{Duration, Instant};

use accelbench_core::load::{ErrorClass, LoadPlan};
use accelbench_core::workload::EosPolicy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::prompts::PreparedPrompt;
use crate::sample::{Answer, Failure, Sample};

mod reader;
pub(crate) mod tokenizer;

use reader::AnswerReader;

/// The engine of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    client: Client,
    base_url: Url,
    model: String,
    eos: EosPolicy,
    seed: u64,
    timeout: Duration,
}

impl Engine {
    pub(crate) fn new(plan: &LoadPlan, timeout: Duration) -> anyhow::Result<Self> {
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
        })
    }

    /// Sends one request and reads its answer to the end. `base` is the moment from which the sample counts.
    pub(crate) async fn request(&self, prompt: &PreparedPrompt, base: Instant) -> Sample {
        let request = match self.build(prompt) {
            Ok(request) => request,
            Err(failure) => return Sample { sent_at: base.elapsed(), outcome: Err(failure) },
        };
        let sent_at = base.elapsed();
        let answer = tokio::time::timeout(self.timeout, self.exchange(request, prompt, base)).await;
        let late = || {
            Err(Failure {
                class: ErrorClass::Timeout,
                message: format!("a request took longer than {} s", self.timeout.as_secs()),
            })
        };
        Sample { sent_at, outcome: answer.unwrap_or_else(|_elapsed| late()) }
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
        prompt: &PreparedPrompt,
        base: Instant,
    ) -> Result<Answer, Failure> {
        let response = self.client.execute(request).await.map_err(|error| broken(&error))?;
        let mut response = refuse_bad_status(response).await?;
        let mut reader = AnswerReader::new(prompt.asked);
        while let Some(bytes) = response.chunk().await.map_err(|error| incomplete(&error))? {
            let read_at = base.elapsed();
            reader.read(&bytes, read_at)?;
        }
        reader.finish()
    }

    /// Everything that takes time is done before the send is stamped.
    fn build(&self, prompt: &PreparedPrompt) -> Result<reqwest::Request, Failure> {
        let failure = |message: String| Failure { class: ErrorClass::Malformed, message };
        let url = self.url("v1/completions").map_err(failure)?;
        let request = self.client.post(url).json(&self.body(prompt)).build();
        request.map_err(|error| failure(error.to_string()))
    }

    fn body(&self, prompt: &PreparedPrompt) -> Value {
        let mut body = json!({
            "model": self.model,
            "prompt": prompt.text,
            "max_tokens": prompt.asked.output_tokens,
            // Sampling costs the same at every temperature; 0 makes repeats comparable.
            "temperature": 0.0,
            "seed": self.seed,
            "stream": true,
            "stream_options": {"include_usage": true, "continuous_usage_stats": true},
        });
        if self.eos == EosPolicy::Ignore {
            body["ignore_eos"] = true.into();
            body["min_tokens"] = prompt.asked.output_tokens.into();
        }
        body
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        self.base_url.join(path).map_err(|error| format!("the engine's address is unusable: {error}"))
    }

    /// Posts a small JSON request outside the measurement.
    async fn post(&self, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let request = self.client.post(self.url(path).ok()?).timeout(Duration::from_mins(1)).json(body);
        let response = request.send().await.ok()?;
        let status = response.status();
        Some((status, response.json().await.unwrap_or(Value::Null)))
    }
}

async fn refuse_bad_status(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let class = if status.is_client_error() { ErrorClass::Refused } else { ErrorClass::ServerError };
    let body = response.text().await.unwrap_or_default();
    let body: String = body.chars().take(300).collect();
    Err(Failure { class, message: format!("the engine answered {status}: {}", body.trim()) })
}

fn broken(error: &reqwest::Error) -> Failure {
    let what = if error.is_connect() {
        "no connection to the engine"
    } else {
        "the connection broke before an answer"
    };
    Failure { class: ErrorClass::Connection, message: what.to_owned() }
}

fn incomplete(_error: &reqwest::Error) -> Failure {
    Failure {
        class: ErrorClass::Incomplete,
        message: "the connection broke in the middle of an answer".to_owned(),
    }
}
