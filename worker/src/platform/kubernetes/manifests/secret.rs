//! The run's secrets: one for the engine and one for the load generator, so that neither can read the other's. They end
//! with the Lease.

use std::fmt;

use accelbench_core::secret::HfToken;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, Secret, SecretKeySelector};

use super::RunObjects;
use crate::platform::kubernetes::names::{self, Component};

/// The key of the Hugging Face token in the engine's secret.
pub const HF_TOKEN_KEY: &str = "hf-token";

/// The key of the intake token in the load generator's secret.
pub const RUN_TOKEN_KEY: &str = "run-token";

/// The token that admits a load generator to its run; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct RunToken(String);

impl RunToken {
    /// Takes the token as the worker made it.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }
}

impl fmt::Debug for RunToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RunToken(***)")
    }
}

pub(super) fn engine(run: &RunObjects<'_>, token: &HfToken) -> Secret {
    secret(run, Component::Engine, HF_TOKEN_KEY, token.expose())
}

pub(super) fn loadgen(run: &RunObjects<'_>, token: &RunToken) -> Secret {
    secret(run, Component::Loadgen, RUN_TOKEN_KEY, &token.0)
}

/// `data` rather than `stringData`, which server-side apply cannot own.
fn secret(run: &RunObjects<'_>, component: Component, key: &str, value: &str) -> Secret {
    Secret {
        metadata: run.metadata(component),
        type_: Some("Opaque".to_owned()),
        data: Some([(key.to_owned(), ByteString(value.as_bytes().to_vec()))].into()),
        ..Secret::default()
    }
}

/// A variable whose value is in the component's secret.
pub(super) fn variable(run: &RunObjects<'_>, component: Component, name: &str, key: &str) -> EnvVar {
    let selector = SecretKeySelector {
        name: names::object(run.run_id, component),
        key: key.to_owned(),
        optional: Some(false),
    };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() }),
    }
}
