//! Asking an installation what it shows: its API, its metrics, and its runs as they go on.

use std::fs;
use std::time::Duration;

use accelbench_core::run::{Phase, Run, RunEvent};
use anyhow::{Context as _, ensure};
use reqwest::StatusCode;
use serde_json::Value;

use super::Installation;

impl Installation {
    /// Where the `server` or the first `worker` shows its metrics: the system chose the port, its log says which.
    ///
    /// # Errors
    /// When the log does not say so in time.
    pub async fn metrics_url(&self, part: &str) -> anyhow::Result<String> {
        let log = self.folder.path().join(format!("{part}.log"));
        let told = || -> Option<String> {
            let text = fs::read_to_string(&log).ok()?;
            let line = text.lines().find(|line| line.contains("metrics are shown"))?;
            let line: Value = serde_json::from_str(line).ok()?;
            Some(format!("http://{}", line["address"].as_str()?))
        };
        self.until("metrics are shown", async || Ok(told().is_some())).await?;
        told().context("the log was there a moment ago")
    }

    /// Posts JSON and gives status and answer.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        let response = self.http.post(format!("{}{path}", self.url)).json(body).send().await?;
        let status = response.status();
        Ok((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// Gets a JSON answer. A server that says that its database is too slow is asked again, a few times.
    ///
    /// # Errors
    /// When the server does not answer with success.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let ask = async || self.http.get(format!("{}{path}", self.url)).send().await;
        let mut response = ask().await?;
        for _ in 0..10 {
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            response = ask().await?;
        }
        let response = response.error_for_status()?;
        let text = response.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Submits a request and gives the run's id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn submit(&self, request: &Value) -> anyhow::Result<String> {
        // A worker tells which engines it offers a moment after its start.
        let engine = request["platform"]["engine"].as_str().unwrap_or_default();
        self.until("the engine is offered", async || {
            Ok(self.get("/api/v1/engines").await?["engines"].to_string().contains(engine))
        })
        .await?;
        let (status, answer) = self.post("/api/v1/runs", request).await?;
        ensure!(status == StatusCode::CREATED, "{status}: {answer}");
        Ok(answer["id"].as_str().context("the answer has no id")?.to_owned())
    }

    /// The run as the API shows it.
    ///
    /// # Errors
    /// When the server does not show it.
    pub async fn run(&self, run_id: &str) -> anyhow::Result<Run> {
        Ok(serde_json::from_value(self.get(&format!("/api/v1/runs/{run_id}")).await?)?)
    }

    /// The run's timeline.
    ///
    /// # Errors
    /// When the server does not show it.
    pub async fn events(&self, run_id: &str) -> anyhow::Result<Vec<RunEvent>> {
        let mut answer = self.get(&format!("/api/v1/runs/{run_id}/events")).await?;
        Ok(serde_json::from_value(answer["events"].take())?)
    }

    /// Waits until the run is in `phase` or beyond it.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn reach(&self, run_id: &str, phase: &str) -> anyhow::Result<()> {
        let position = |name: &str| Phase::WORDS.iter().position(|&phase| phase == name);
        self.until(phase, async || Ok(position(self.run(run_id).await?.phase.as_str()) >= position(phase)))
            .await
    }

    /// Waits until the run is finished, and gives it.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn finish(&self, run_id: &str) -> anyhow::Result<Run> {
        self.reach(run_id, "finished").await?;
        self.run(run_id).await
    }

    /// The results of a run.
    ///
    /// # Errors
    /// When the server does not show them.
    pub async fn results(&self, run_id: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.get(&format!("/api/v1/runs/{run_id}/results")).await?;
        Ok(answer["results"].as_array().cloned().unwrap_or_default())
    }
}
