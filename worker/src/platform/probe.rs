//! Asks an OpenAI-compatible server whether it is ready and what it is.

use std::time::Duration;

use accelbench_core::engine::{EngineIdentity, EngineKind};
use accelbench_core::model::ModelId;
use accelbench_core::observed::Observed;
use accelbench_core::run::ReadyEndpoint;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::Readiness;

/// A client for looking at engines.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    client: Client,
}

impl Probe {
    pub(super) fn new() -> Self {
        let client = Client::builder()
            .timeout(Duration::from_secs(5))
            .no_proxy()
            .build()
            .expect("a client without certificates or proxies of its own can always be built");
        Self { client }
    }

    /// Looks at the server whose root is `base_url`.
    pub(super) async fn look(
        &self,
        base_url: &Url,
        model: &ModelId,
        engine_arguments: Vec<String>,
    ) -> Readiness {
        match self.get(base_url, "health").await {
            Err(error) => return Readiness::Pending(format!("it does not answer yet ({error})")),
            // Not every server has /health; the list of models decides then.
            Ok(response) if !response.status().is_success() && response.status() != StatusCode::NOT_FOUND => {
                return Readiness::Pending(format!(
                    "it answers that it is not ready ({})",
                    response.status()
                ));
            }
            Ok(_) => {}
        }
        let models = match self.get(base_url, "v1/models").await {
            Ok(response) if response.status().is_success() => response,
            Ok(response) => {
                return Readiness::Pending(format!("it lists no models yet ({})", response.status()));
            }
            Err(error) => return Readiness::Pending(format!("it does not list its models ({error})")),
        };
        let server = header(&models, "server");
        let names = served_models(&models.json().await.unwrap_or(Value::Null));
        match choose(&names, model) {
            Err(reason) => Readiness::Failed(reason),
            Ok(served_model_name) => Readiness::Ready(Box::new(ReadyEndpoint {
                base_url: base_url.clone(),
                served_model_name,
                engine: self.identify(base_url, &server).await,
                engine_arguments,
            })),
        }
    }

    async fn identify(&self, base_url: &Url, server: &str) -> EngineIdentity {
        let version = self.json(base_url, "version").await;
        let version = version.as_ref().and_then(|body| body.get("version")?.as_str());
        let image_digest = Observed::absent("the engine does not know the container image it runs in");
        let identity = |kind, version| EngineIdentity { kind, version, image_digest };
        if let Some(version) = version {
            let kind = if version.contains("accelbench-simulator") {
                EngineKind::Simulator
            } else {
                EngineKind::Vllm
            };
            return identity(kind, Observed::Value(version.to_owned()));
        }
        if server.contains("llama.cpp") {
            let properties = self.json(base_url, "props").await;
            let build =
                properties.as_ref().and_then(|body| body.get("build_info")?.as_str().map(str::to_owned));
            let version =
                build.map_or_else(|| Observed::absent("its /props names no build"), Observed::Value);
            return identity(EngineKind::LlamaCpp, version);
        }
        identity(EngineKind::Other, Observed::absent("the server has no /version"))
    }

    async fn json(&self, base_url: &Url, path: &str) -> Option<Value> {
        let response = self.get(base_url, path).await.ok()?;
        if response.status().is_success() { response.json().await.ok() } else { None }
    }

    async fn get(&self, base_url: &Url, path: &str) -> Result<Response, String> {
        let url = base_url.join(path).map_err(|error| error.to_string())?;
        self.client.get(url).send().await.map_err(|error| {
            if error.is_connect() { "no connection".to_owned() } else { error.without_url().to_string() }
        })
    }
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
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
