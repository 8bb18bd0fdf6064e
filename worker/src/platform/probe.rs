//! Asks an OpenAI-compatible server whether it is ready and what it is.

use std::time::Duration;

use accelbench_core::engine::{EngineIdentity, EngineKind};
use accelbench_core::model::ModelId;
use accelbench_core::observed::Observed;
use accelbench_core::run::ReadyEndpoint;
use async_trait::async_trait;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::Url;

use super::Readiness;

/// A way to an engine: asks for a path below its root.
#[async_trait]
pub(super) trait Reach: Send + Sync {
    /// What the engine answers, whatever the status; or why there is no answer.
    async fn get(&self, path: &str) -> Result<Answer, String>;
}

/// What an engine answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Its `server` header.
    pub(super) server: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A client for looking at engines.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    client: Client,
}

/// Straight to the engine.
pub(super) struct Direct {
    client: Client,
    base_url: Url,
}

impl Probe {
    pub(super) fn new() -> Self {
        Self { client: client() }
    }

    /// Looks at the server whose root is `base_url`.
    pub(super) async fn look(
        &self,
        base_url: &Url,
        model: &ModelId,
        engine_arguments: Vec<String>,
    ) -> Readiness {
        let direct = Direct { client: self.client.clone(), base_url: base_url.clone() };
        look(&direct, base_url, model, engine_arguments).await
    }
}

impl Direct {
    pub(super) fn new(base_url: Url) -> Self {
        Self { client: client(), base_url }
    }
}

fn client() -> Client {
    Client::builder()
        .timeout(Duration::from_secs(5))
        .no_proxy()
        .build()
        .expect("a client without certificates or proxies of its own can always be built")
}

/// Looks at a server through `reach`; `base_url` is its root as the load generator will see it.
pub(super) async fn look(
    reach: &dyn Reach,
    base_url: &Url,
    model: &ModelId,
    engine_arguments: Vec<String>,
) -> Readiness {
    match reach.get("health").await {
        Err(error) => return Readiness::Pending(format!("it does not answer yet ({error})")),
        // Not every server has /health; the list of models decides then.
        Ok(answer) if !answer.status.is_success() && answer.status != StatusCode::NOT_FOUND => {
            return Readiness::Pending(format!("it answers that it is not ready ({})", answer.status));
        }
        Ok(_) => {}
    }
    let models = match reach.get("v1/models").await {
        Ok(answer) if answer.status.is_success() => answer,
        Ok(answer) => return Readiness::Pending(format!("it lists no models yet ({})", answer.status)),
        Err(error) => return Readiness::Pending(format!("it does not list its models ({error})")),
    };
    match choose(&served_models(&models.json()), model) {
        Err(reason) => Readiness::Failed(reason),
        Ok(served_model_name) => Readiness::Ready(Box::new(ReadyEndpoint {
            base_url: base_url.clone(),
            served_model_name,
            engine: identify(reach, &models.server).await,
            engine_arguments,
            machine: None,
            accelerator_metrics: Vec::new(),
        })),
    }
}

async fn identify(reach: &dyn Reach, server: &str) -> EngineIdentity {
    let version = json(reach, "version").await;
    let version = version.as_ref().and_then(|body| body.get("version")?.as_str());
    let image_digest = Observed::absent("the engine does not know the container image it runs in");
    let identity = |kind, version| EngineIdentity { kind, version, image_digest };
    if let Some(version) = version {
        let kind =
            if version.contains("accelbench-simulator") { EngineKind::Simulator } else { EngineKind::Vllm };
        return identity(kind, Observed::Value(version.to_owned()));
    }
    if server.contains("llama.cpp") {
        let properties = json(reach, "props").await;
        let build = properties.as_ref().and_then(|body| body.get("build_info")?.as_str().map(str::to_owned));
        let version = build.map_or_else(|| Observed::absent("its /props names no build"), Observed::Value);
        return identity(EngineKind::LlamaCpp, version);
    }
    identity(EngineKind::Other, Observed::absent("the server has no /version"))
}

async fn json(reach: &dyn Reach, path: &str) -> Option<Value> {
    let answer = reach.get(path).await.ok()?;
    answer.status.is_success().then(|| answer.json())
}

#[async_trait]
impl Reach for Direct {
    async fn get(&self, path: &str) -> Result<Answer, String> {
        let url = self.base_url.join(path).map_err(|error| error.to_string())?;
        let response = self.client.get(url).send().await.map_err(|error| {
            if error.is_connect() { "no connection".to_owned() } else { error.without_url().to_string() }
        })?;
        let server = response.headers().get("server").and_then(|value| value.to_str().ok());
        let (status, server) = (response.status(), server.unwrap_or_default().to_owned());
        let body = response.bytes().await.map_err(|error| error.without_url().to_string())?;
        Ok(Answer { status, server, body: body.to_vec() })
    }
}

fn served_models(body: &Value) -> Vec<String> {
    let entries = body.get("data").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| entry.get("id")?.as_str().map(str::to_owned)).collect()
}

/// The name under which the model is served: its id, or the only name there is.
fn choose(served: &[String], model: &ModelId) -> Result<String, String> {
    if let Some(exact) = served.iter().find(|name| *name == model.as_str()) {
        return Ok(exact.clone());
    }
    match served {
        [only] => Ok(only.clone()),
        [] => Err("the engine answers but serves no model".to_owned()),
        several => Err(format!("the engine serves {} and not `{model}`", several.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::{choose, served_models};

    #[test]
    fn the_served_name_is_chosen_without_guessing() {
        let model = "org/model".parse().unwrap();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(choose(&names(&["a", "org/model"]), &model), Ok("org/model".to_owned()));
        assert_eq!(choose(&names(&["alias"]), &model), Ok("alias".to_owned()));
        assert!(choose(&names(&["a", "b"]), &model).unwrap_err().contains("a, b"));
        assert!(choose(&[], &model).is_err());
    }

    #[test]
    fn a_strange_answer_lists_nothing() {
        for body in ["null", "[]", "{\"data\": 3}", "{\"data\": [{\"id\": 3}, 7]}"] {
            assert!(served_models(&serde_json::from_str(body).unwrap()).is_empty(), "{body}");
        }
    }
}
