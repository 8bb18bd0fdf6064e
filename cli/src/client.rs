//! The REST API as the commands use it. Every answer that is no success becomes a [`Failure`] in the server's own words.

use std::time::Duration;

use accelbench_core::catalog::CatalogItem;
use accelbench_core::catalog::refresh::RefreshPlan;
use accelbench_core::instance::InstanceType;
use accelbench_core::model::Model;
use accelbench_core::result::BenchmarkResult;
use accelbench_core::run::{Run, RunEvent};
use accelbench_store::imported::StoredImport;
use accelbench_store::prices::KnownPrice;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::exit::Failure;

mod failure;

use failure::failure;

/// A server to ask.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    server: Url,
    http: reqwest::Client,
}

#[derive(Debug, Deserialize)]
struct RunList {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct PriceList {
    prices: Vec<KnownPrice>,
}

#[derive(Debug, Deserialize)]
struct ResultList {
    results: Vec<BenchmarkResult>,
}

/// A page of the catalog.
#[derive(Debug, Deserialize)]
pub(crate) struct CatalogPage {
    pub(crate) items: Vec<CatalogItem>,
    /// What to give as `cursor` for the next page.
    pub(crate) next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ModelList {
    models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct InstanceList {
    instances: Vec<InstanceType>,
}

#[derive(Debug, Deserialize)]
struct ImportList {
    imported_results: Vec<StoredImport>,
}

#[derive(Debug, Deserialize)]
struct EventList {
    events: Vec<RunEvent>,
}

/// How often a server that is asked too much is waited for.
const MOST_PAUSES: u32 = 5;

/// How long the server wants to be left alone.
fn pause(headers: &HeaderMap) -> Duration {
    let asked =
        headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(1)).min(Duration::from_secs(30))
}

impl Client {
    pub(crate) fn new(server: Url) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .user_agent(concat!("accelbench/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { server, http })
    }

    /// Address of a page of the server.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("{}/{path}", self.server.as_str().trim_end_matches('/'))
    }

    /// The release of the server, where it says so.
    pub(crate) async fn version(&self) -> anyhow::Result<Option<String>> {
        let answer =
            self.http.get(self.page("healthz")).send().await.map_err(|error| self.unreachable(error))?;
        let version = answer.headers().get("x-accelbench-version");
        Ok(version.and_then(|version| version.to_str().ok()).map(str::to_owned))
    }

    /// How the installation is doing.
    pub(crate) async fn status(&self) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, "status")).await
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let problem =
            if error.is_connect() { "no connection".to_owned() } else { error.without_url().to_string() };
        Failure::Unreachable { url: self.server.to_string(), problem }
    }

    /// Whatever the API says at a path.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, path).query(query)).await
    }

    pub(crate) async fn submit(&self, request: &Value, idempotency_key: &str) -> anyhow::Result<Run> {
        let request =
            self.request(Method::POST, "runs").header("Idempotency-Key", idempotency_key).json(request);
        self.json(request).await
    }

    pub(crate) async fn upload_dataset(&self, name: &str, bytes: Vec<u8>) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, "datasets").query(&[("name", name)]).body(bytes)).await
    }

    pub(crate) async fn run(&self, run_id: &str) -> anyhow::Result<Run> {
        self.json(self.request(Method::GET, &format!("runs/{run_id}"))).await
    }

    pub(crate) async fn runs(&self, query: &[(&str, String)]) -> anyhow::Result<Vec<Run>> {
        let list: RunList = self.json(self.request(Method::GET, "runs").query(query)).await?;
        Ok(list.runs)
    }

    pub(crate) async fn events(&self, run_id: &str) -> anyhow::Result<Vec<RunEvent>> {
        let list: EventList = self.json(self.request(Method::GET, &format!("runs/{run_id}/events"))).await?;
        Ok(list.events)
    }

    pub(crate) async fn cancel(&self, run_id: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, &format!("runs/{run_id}/cancel"))).await
    }

    /// Submits the same request once more.
    pub(crate) async fn retry(&self, run_id: &str) -> anyhow::Result<Run> {
        self.json(self.request(Method::POST, &format!("runs/{run_id}/retry"))).await
    }

    pub(crate) async fn requeue(&self, run_id: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, &format!("runs/{run_id}/requeue"))).await
    }

    /// What a part of a run wrote.
    pub(crate) async fn log(&self, run_id: &str, source: &str) -> anyhow::Result<String> {
        let log = self.body(self.request(Method::GET, &format!("runs/{run_id}/logs/{source}"))).await?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    pub(crate) async fn supersede(&self, result_id: &str, request: &Value) -> anyhow::Result<()> {
        let path = format!("results/{result_id}/supersede");
        self.body(self.request(Method::POST, &path).json(request)).await.map(|_empty| ())
    }

    pub(crate) async fn result(&self, result_id: &str) -> anyhow::Result<BenchmarkResult> {
        self.json(self.request(Method::GET, &format!("results/{result_id}"))).await
    }

    pub(crate) async fn results_of(&self, run_id: &str) -> anyhow::Result<Vec<BenchmarkResult>> {
        let list: ResultList =
            self.json(self.request(Method::GET, &format!("runs/{run_id}/results"))).await?;
        Ok(list.results)
    }

    /// Every result, the newest first.
    pub(crate) async fn results(&self, query: &[(&str, String)]) -> anyhow::Result<Vec<BenchmarkResult>> {
        let list: ResultList = self.json(self.request(Method::GET, "results").query(query)).await?;
        Ok(list.results)
    }

    pub(crate) async fn catalog(&self, query: &[(&str, String)]) -> anyhow::Result<CatalogPage> {
        self.json(self.request(Method::GET, "catalog").query(query)).await
    }

    /// What a refresh of the catalog would do now.
    pub(crate) async fn catalog_targets(&self, query: &[(&str, String)]) -> anyhow::Result<RefreshPlan> {
        self.json(self.request(Method::GET, "catalog/targets").query(query)).await
    }

    /// Models whose id contains this text.
    pub(crate) async fn models(&self, search: &str) -> anyhow::Result<Vec<Model>> {
        let list: ModelList =
            self.json(self.request(Method::GET, "models").query(&[("search", search)])).await?;
        Ok(list.models)
    }

    pub(crate) async fn model(&self, model: &str) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, &format!("models/{model}"))).await
    }

    pub(crate) async fn add_model(&self, request: &Value) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, "models").json(request)).await
    }

    pub(crate) async fn instances(&self) -> anyhow::Result<Vec<InstanceType>> {
        let list: InstanceList = self.json(self.request(Method::GET, "instances")).await?;
        Ok(list.instances)
    }

    pub(crate) async fn estimate(&self, query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, "estimates").query(query)).await
    }

    /// Checks a request as a submit does, without submitting it.
    pub(crate) async fn estimate_of(&self, request: &Value) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, "estimates").json(request)).await
    }

    pub(crate) async fn fit(&self, query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, "fits").query(query)).await
    }

    pub(crate) async fn recommendation(&self, query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.json(self.request(Method::GET, "recommendations").query(query)).await
    }

    pub(crate) async fn import(&self, request: &Value) -> anyhow::Result<Value> {
        self.json(self.request(Method::POST, "imported-results").json(request)).await
    }

    pub(crate) async fn imported(&self, query: &[(&str, String)]) -> anyhow::Result<Vec<StoredImport>> {
        let list: ImportList = self.json(self.request(Method::GET, "imported-results").query(query)).await?;
        Ok(list.imported_results)
    }

    pub(crate) async fn prices(&self, query: &[(&str, String)]) -> anyhow::Result<Vec<KnownPrice>> {
        let list: PriceList = self.json(self.request(Method::GET, "prices").query(query)).await?;
        Ok(list.prices)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.page(&format!("api/v1/{path}")))
    }

    /// Sends a request, again where the server says that it only came too soon: nothing was done then, and whoever waits
    /// for a run shares an address with others who do.
    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let mut request = request;
        for _time in 0..MOST_PAUSES {
            let Some(next) = request.try_clone() else { break };
            let response = request.send().await.map_err(|error| self.unreachable(error))?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(response);
            }
            tokio::time::sleep(pause(response.headers())).await;
            request = next;
        }
        Ok(request.send().await.map_err(|error| self.unreachable(error))?)
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body(request).await?).map_err(|error| {
            anyhow::anyhow!("the server's answer cannot be read: {error}; is it the same release?")
        })
    }

    async fn body(&self, request: RequestBuilder) -> anyhow::Result<Vec<u8>> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = response.bytes().await?;
        if status.is_success() { Ok(body.into()) } else { Err(failure(status, &body).into()) }
    }
}
