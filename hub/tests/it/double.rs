//! How the client asks the Hub double.

use std::time::Duration;

use accelbench_core::model::ModelId;
use accelbench_core::secret::HfToken;
use accelbench_hub::{Hub, HubError, ResolvedModel, Timeouts};
pub(crate) use accelbench_tests::hub_double::{
    Answer, Asked, COMMIT, HubDouble, configuration, description, refusal,
};
use serde_json::Value;

pub(crate) const TOKEN: &str = "hf_verysecret";

pub(crate) async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> HubDouble {
    HubDouble::start(script).await.unwrap()
}

pub(crate) async fn with(description: Value, configuration: Value) -> HubDouble {
    HubDouble::with(description, configuration).await.unwrap()
}

pub(crate) trait Client {
    fn client(&self) -> Hub;

    /// Resolves `Qwen/Qwen3-8B` at its main branch.
    async fn resolve(&self, token: Option<&str>) -> Result<ResolvedModel, HubError>;
}

impl Client for HubDouble {
    fn client(&self) -> Hub {
        Hub::new(&self.url, timeouts()).unwrap()
    }

    async fn resolve(&self, token: Option<&str>) -> Result<ResolvedModel, HubError> {
        self.client().resolve(&model(), None, token.map(self::token).as_ref()).await
    }
}

pub(crate) fn redirect(status: u16, to: &str) -> Answer {
    Answer::Text(
        status,
        vec![("location", to.to_owned())],
        format!("Temporary Redirect. Redirecting to {to}"),
    )
}

pub(crate) fn timeouts() -> Timeouts {
    Timeouts { answer: Duration::from_secs(10), ..Timeouts::default() }
}

pub(crate) fn model() -> ModelId {
    "Qwen/Qwen3-8B".parse().unwrap()
}

pub(crate) fn token(text: &str) -> HfToken {
    HfToken::new(text).unwrap()
}

/// A description that differs in this field.
pub(crate) fn described(field: &str, value: Value) -> Value {
    let mut description = description();
    description[field] = value;
    description
}
