//! The API as the load generator sees it. A report is kept and sent again until it is acknowledged: the database may be
//! away for minutes, and nothing may be lost by that.

use std::time::Duration;

use accelbench_core::dataset::{self, Prompt, Sha256Hex};
use accelbench_core::load::{LoadPlan, LoadProgress, LoadReport};
use anyhow::{Context as _, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::json;
use url::Url;

use crate::options::LoadgenOptions;

/// The longest pause between two attempts.
const MOST_PAUSE: Duration = Duration::from_secs(10);

/// How long the plan is waited for; without it there is nothing to lose by giving up.
const PLAN_PATIENCE: u32 = 30;

/// How often a failure is told before the worker has to find out by itself.
const FAILURE_PATIENCE: u32 = 10;

/// The API of one run.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    client: Client,
    base: Url,
    token: String,
}

impl Intake {
    pub(crate) fn new(options: &LoadgenOptions, token: String) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        let base =
            format!("{}/api/v1/intake/{}/", options.api_url.as_str().trim_end_matches('/'), options.run_id);
        Ok(Self { client, base: Url::parse(&base).context("the API's address is unusable")?, token })
    }

    /// Fetches the plan and the prompts, and checks that they belong together.
    pub(crate) async fn plan(&self) -> anyhow::Result<(LoadPlan, Vec<Prompt>)> {
        let plan: LoadPlan =
            self.until_answered(Method::GET, "plan", None, PLAN_PATIENCE).await?.json().await?;
        let bytes = self.until_answered(Method::GET, "dataset", None, PLAN_PATIENCE).await?.bytes().await?;
        let sha256 = Sha256Hex::of(&bytes);
        ensure!(
            sha256 == plan.dataset_sha256,
            "the dataset arrived with the hash {sha256} instead of {}",
            plan.dataset_sha256
        );
        let prompts = dataset::parse(&bytes).context("the dataset cannot be read")?;
        Ok((plan, prompts))
    }

    /// Tells how far the load is; whether it arrives does not matter.
    pub(crate) async fn progress(&self, progress: &LoadProgress) {
        if let Ok(request) = self.request(Method::POST, "progress") {
            let _ = request.timeout(Duration::from_secs(5)).json(progress).send().await;
        }
    }

    /// Delivers a report until it is acknowledged.
    pub(crate) async fn report(&self, report: &LoadReport) -> anyhow::Result<()> {
        let path = format!("reports/{}", report.load_point_index);
        let body = serde_json::to_value(report)?;
        self.until_answered(Method::PUT, &path, Some(&body), u32::MAX).await?;
        Ok(())
    }

    /// Tells why the load cannot be measured.
    pub(crate) async fn failure(&self, reason: &str) -> anyhow::Result<()> {
        let body = json!({"reason": reason});
        self.until_answered(Method::POST, "failure", Some(&body), FAILURE_PATIENCE).await?;
        Ok(())
    }

    /// Asks until there is an answer that will not change by itself.
    async fn until_answered(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
        patience: u32,
    ) -> anyhow::Result<Response> {
        let mut attempt = 0;
        loop {
            let mut request = self.request(method.clone(), path)?;
            if let Some(body) = body {
                request = request.json(body);
            }
            let problem = match request.send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if !is_transient(response.status()) => return refused(path, response).await,
                Ok(response) => format!("the API answered {}", response.status()),
                Err(error) => error.without_url().to_string(),
            };
            attempt += 1;
            if attempt >= patience {
                bail!("{path}: gave up after {attempt} attempts: {problem}");
            }
            tracing::warn!(path, attempt, problem, "the API did not take it; trying again");
            tokio::time::sleep(pause(attempt)).await;
        }
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.request(method, self.base.join(path)?).bearer_auth(&self.token))
    }
}

async fn refused(path: &str, response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    let body: String = response.text().await.unwrap_or_default().chars().take(500).collect();
    bail!("the API refused {path} with {status}: {body}")
}

fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

fn pause(attempt: u32) -> Duration {
    Duration::from_millis(200 << attempt.saturating_sub(1).min(6)).min(MOST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_grow_to_ten_seconds() {
        assert_eq!(
            [1, 2, 3, 7, 50, u32::MAX].map(|attempt| pause(attempt).as_millis()),
            [200, 400, 800, 10_000, 10_000, 10_000]
        );
    }
}
