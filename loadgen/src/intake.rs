//! The API as the load generator sees it. A report is kept and sent again until it is acknowledged: the database may be
//! away for minutes, and nothing may be lost by that.

use std::time::Duration;

use accelbench_core::dataset::{Dataset, Sha256Hex};
use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadPlan, LoadProgress, LoadReport};
use anyhow::{Context as _, anyhow, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::options::LoadgenOptions;
use crate::sink::LoadSink;

/// The longest pause between two attempts.
const MOST_PAUSE: Duration = Duration::from_secs(10);

/// Attempts to get the plan; without it there is nothing to lose by giving up after some minutes.
const PLAN_PATIENCE: u32 = 30;

/// Attempts to tell a failure before the worker has to find out by itself.
const FAILURE_PATIENCE: u32 = 10;

/// The API of one run.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    client: Client,
    base: Url,
    token: String,
}

/// The API has no use for this load generator any more: the run was cancelled, has ended or is not known.
#[derive(Debug, thiserror::Error)]
#[error("the API answers {0}: the run is over")]
pub(crate) struct RunOver(StatusCode);

impl Intake {
    pub(crate) fn new(options: &LoadgenOptions, token: String) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        let base =
            format!("{}/api/v1/intake/{}/", options.api_url.as_str().trim_end_matches('/'), options.run_id);
        Ok(Self { client, base: Url::parse(&base).context("the API's address is unusable")?, token })
    }

    /// Fetches the plan and the prompts, and checks that they belong together.
    pub(crate) async fn plan(&self) -> anyhow::Result<(LoadPlan, Dataset)> {
        // The prompts first: with the plan, an accelerator begins to wait.
        let bytes = self.until_answered(Method::GET, "dataset", None, PLAN_PATIENCE).await?;
        let plan = self.plan_to_come().await?;
        let sha256 = Sha256Hex::of(&bytes);
        ensure!(
            sha256 == plan.dataset_sha256,
            "the dataset arrived with the hash {sha256} instead of {}",
            plan.dataset_sha256
        );
        let dataset = Dataset::parse(&bytes).context("the dataset cannot be read")?;
        Ok((plan, dataset))
    }

    /// The plan, which there is when the engine is ready: whoever started this program decides how long that may take.
    async fn plan_to_come(&self) -> anyhow::Result<LoadPlan> {
        let asks_again = Duration::from_millis(100);
        loop {
            let bytes = self.until_answered(Method::GET, "plan", None, PLAN_PATIENCE).await?;
            if !bytes.is_empty() {
                return serde_json::from_slice(&bytes).context("the plan cannot be read");
            }
            tokio::time::sleep(asks_again).await;
        }
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
        body: Option<&Value>,
        patience: u32,
    ) -> anyhow::Result<Vec<u8>> {
        let mut attempt: u32 = 0;
        loop {
            let problem = match self.ask(method.clone(), path, body).await? {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem,
            };
            attempt = attempt.saturating_add(1);
            if attempt >= patience {
                bail!("{path}: gave up after {attempt} attempts: {problem}");
            }
            tracing::warn!(path, attempt, problem, "the API did not take it; trying again");
            tokio::time::sleep(pause(attempt)).await;
        }
    }

    /// Asks once: the answer, or a problem that may pass. A problem that will not pass is the outer error.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Result<Vec<u8>, String>> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(words(error))),
        };
        let status = response.status();
        match response.bytes().await {
            _ if is_over(status) => Err(RunOver(status).into()),
            _ if is_transient(status) => Ok(Err(format!("the API answered {status}"))),
            Ok(bytes) if status.is_success() => Ok(Ok(bytes.to_vec())),
            Ok(bytes) => {
                let answer: String = String::from_utf8_lossy(&bytes).chars().take(500).collect();
                Err(anyhow!("the API refused {path} with {status}: {answer}"))
            }
            Err(error) => Ok(Err(words(error))),
        }
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.request(method, self.base.join(path)?).bearer_auth(&self.token))
    }
}

impl LoadSink for Intake {
    /// Whether it arrives does not matter, unless the API says that the run is over.
    async fn progress(&self, progress: &LoadProgress) -> anyhow::Result<()> {
        let request = self.request(Method::POST, "progress")?.timeout(Duration::from_secs(5)).json(progress);
        match request.send().await {
            Ok(response) if is_over(response.status()) => Err(RunOver(response.status()).into()),
            _ => Ok(()),
        }
    }

    /// Delivers until the report is acknowledged.
    async fn report(&self, report: &LoadReport) -> anyhow::Result<()> {
        let path = format!("reports/{}", report.load_point_index);
        let body = serde_json::to_value(report)?;
        self.until_answered(Method::PUT, &path, Some(&body), u32::MAX).await?;
        Ok(())
    }

    /// Tells until it is acknowledged.
    async fn conclusion(&self, conclusion: &Conclusion) -> anyhow::Result<()> {
        let body = serde_json::to_value(conclusion)?;
        self.until_answered(Method::PUT, "conclusion", Some(&body), u32::MAX).await?;
        Ok(())
    }
}

fn words(error: reqwest::Error) -> String {
    format!("{:#}", anyhow!(error.without_url()))
}

fn is_over(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE
    )
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
