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
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::exit::Failure;

/// A server to ask.
#[derive(Debug)]
pub(crate) struct Client {
    server: Url,
    http: reqwest::Client,
}

#[derive(Debug, Deserialize)]
struct Problem {
    detail: Option<String>,
    title: Option<String>,
    hint: Option<String>,
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

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let body = response.bytes().await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| {
                anyhow::anyhow!("the server's answer cannot be read: {error}; is it the same release?")
            });
        }
        Err(failure(status, &body).into())
    }
}

fn failure(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let (message, hint) = match problem {
        Some(Problem { detail, title, hint }) => (detail.or(title), hint),
        None => (None, None),
    };
    let message = message.unwrap_or_else(|| format!("the server answered {status}"));
    if status == StatusCode::NOT_FOUND {
        Failure::NotFound { message, hint }
    } else {
        Failure::Refused { message, hint }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::failure;
    use crate::exit::Failure;

    #[test]
    fn the_server_speaks_for_itself() {
        let body = br#"{"title": "t", "detail": "there is no model `x`", "hint": "did you mean `y`?"}"#;
        assert_eq!(
            failure(StatusCode::NOT_FOUND, body),
            Failure::NotFound {
                message: "there is no model `x`".to_owned(),
                hint: Some("did you mean `y`?".to_owned())
            }
        );
        let other = failure(StatusCode::BAD_GATEWAY, b"<html>");
        assert!(matches!(other, Failure::Refused { message, .. } if message.contains("502")));
    }
}
