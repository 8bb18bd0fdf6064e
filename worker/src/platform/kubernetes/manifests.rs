//! The objects of a run, as they are applied: pure functions of the run, its deployment plan and the operator's options.
//! There is no ConfigMap: the load generator fetches its plan and its dataset from the API's intake, with a token that
//! admits to one run, so that a change of either needs no second way.

use std::net::SocketAddr;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde::Serialize;
use serde_json::Value;

mod container;
mod deployment;
mod engine;
mod job;
mod lease;
mod network;
mod owner;
mod pod;
mod secret;
mod service;
#[cfg(test)]
mod tests;

pub use engine::{EngineContainer, Privileges};
pub use lease::{LEASE_DURATION_S, Tenure, lease};
pub use owner::RunObjects;
pub use secret::{HF_TOKEN_KEY, RUN_TOKEN_KEY, RunToken};
pub use service::engine_url;

/// An object of a run.
#[derive(Clone, PartialEq)]
pub enum Manifest {
    /// Owns all others.
    Lease(Lease),
    /// What must not be shown.
    Secret(Secret),
    /// Who may talk to whom.
    NetworkPolicy(NetworkPolicy),
    /// The engine's address.
    Service(Service),
    /// The engine.
    Deployment(Deployment),
    /// The load generator.
    Job(Job),
}

/// Where an engine runs, as its load generator must know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineSite {
    /// The zone of its node.
    pub zone: Option<String>,
    /// The exporter of accelerator metrics on its node.
    pub exporter: Option<SocketAddr>,
}

/// What a manifest for people holds instead of a secret.
const ELIDED: &str = "***";

impl Manifest {
    /// The object's kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Lease(_) => "Lease",
            Self::Secret(_) => "Secret",
            Self::NetworkPolicy(_) => "NetworkPolicy",
            Self::Service(_) => "Service",
            Self::Deployment(_) => "Deployment",
            Self::Job(_) => "Job",
        }
    }

    /// The object as it is applied, secrets included: only for the API server.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Lease(object) => value(object),
            Self::Secret(object) => value(object),
            Self::NetworkPolicy(object) => value(object),
            Self::Service(object) => value(object),
            Self::Deployment(object) => value(object),
            Self::Job(object) => value(object),
        }
    }

    /// The object as a person may see it.
    #[must_use]
    pub fn elided(&self) -> Value {
        let mut object = self.to_value();
        if matches!(self, Self::Secret(_))
            && let Some(data) = object["data"].as_object_mut()
        {
            // Not Base64, so that nobody applies it by mistake.
            data.values_mut().for_each(|value| *value = ELIDED.into());
        }
        object
    }
}

impl std::fmt::Debug for Manifest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.kind(), self.elided()["metadata"]["name"])
    }
}

fn value(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("Kubernetes objects have text keys and serialise without fail")
}

impl RunObjects<'_> {
    /// All that serves the model, in the order in which it is applied: nothing starts before it is fenced in.
    #[must_use]
    pub fn engine(&self, container: &EngineContainer) -> Vec<Manifest> {
        let secret = self.hf_token.map(|token| Manifest::Secret(secret::engine(self, token)));
        let policies = network::engine(self, container).map(Manifest::NetworkPolicy);
        let rest = [
            Manifest::Service(service::engine(self, container)),
            Manifest::Deployment(deployment::engine(self, container)),
        ];
        secret.into_iter().chain(policies).chain(rest).collect()
    }

    /// All that offers the load, in the order in which it is applied.
    #[must_use]
    pub fn loadgen(&self, api_url: &url::Url, token: &RunToken, engine: &EngineSite) -> Vec<Manifest> {
        vec![
            Manifest::Secret(secret::loadgen(self, token)),
            Manifest::NetworkPolicy(network::loadgen(self, engine.exporter)),
            Manifest::Job(job::loadgen(self, api_url, engine.zone.as_deref())),
        ]
    }
}
