//! A run: one request to deploy a model on an instance type and measure it at one or more load points.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::engine::{EngineIdentity, EngineName};
use crate::exploration::{Conclusion, Exploration};
use crate::instance::InstanceTypeName;
use crate::load::{LoadProgress, Measurement, OfferedLoad};
use crate::model::{ModelId, Quantization, Revision};
use crate::observed::Observed;
use crate::slo::Slo;
use crate::workload::Workload;

pub mod event;
pub mod phase;
pub mod spec;

pub use event::{EventKind, RunEvent};
pub use phase::{Phase, Transition, Verdict};
pub use spec::{InvalidSpec, MAX_LOAD_POINTS, validate_exploration, validate_load};

/// Identity of a run; the names of all its objects and processes derive from it. Later runs have greater ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// A new identity.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The identity as it is stored.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// The bytes of the identity.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name of everything that belongs to the run: `run-` and the identity.
    #[must_use]
    pub fn object_name(self) -> String {
        format!("run-{}", self.0)
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Uuid> for RunId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl FromStr for RunId {
    type Err = InvalidSpec;

    fn from_str(text: &str) -> Result<Self, InvalidSpec> {
        Uuid::parse_str(text).map(Self).map_err(|_not_a_uuid| InvalidSpec::RunId(text.to_owned()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a person or the catalog asks for. It holds no secret: a Hugging Face token travels beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The model to serve.
    pub model: ModelId,
    /// The commit of the model; `None` is the newest, resolved when the run is submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The instance type that serves it.
    pub instance_type: InstanceTypeName,
    /// Where and by what it is served.
    pub platform: PlatformSpec,
    /// How the weights are stored; `None` is as the model comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
    /// Over how many accelerators (or NeuronCores) one replica is split.
    #[serde(default = "one")]
    pub tensor_parallel: u32,
    /// What each request asks for.
    #[serde(default)]
    pub workload: Workload,
    /// The load points, in the order in which they are measured; none where they are explored.
    #[serde(default = "spec::default_load_points")]
    pub load_points: Vec<OfferedLoad>,
    /// How load points are found, instead of being given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Exploration>,
    /// Limits that requests are held against for the goodput, and that a search looks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<Slo>,
    /// How long each load point is measured.
    #[serde(default)]
    pub measurement: Measurement,
    /// The run is ended after this long, whatever it does, in seconds.
    #[serde(default = "spec::default_timeout_s")]
    pub timeout_s: u32,
    /// The run is refused when it might cost more, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

fn one() -> u32 {
    1
}

/// Where a run is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlatformSpec {
    /// Processes on the worker's own machine.
    Local {
        /// The engine, by the name under which the operator offers it.
        engine: EngineName,
    },
    /// An OpenAI-compatible server that already runs; nothing is deployed or torn down.
    Endpoint {
        /// Its root URL, without `/v1`.
        url: Url,
    },
    /// Pods on a cluster, whose nodes come and go with them.
    Kubernetes {
        /// `vllm`, with the image and the flags of the instance type's profile, or `simulator`.
        #[serde(default = "EngineName::vllm")]
        engine: EngineName,
    },
}

impl PlatformSpec {
    /// The word used in SQL, JSON and HTML.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::Endpoint { .. } => "endpoint",
            Self::Kubernetes { .. } => "kubernetes",
        }
    }

    /// Whether our simulator serves it, whose numbers tell nothing of real hardware.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        match self {
            Self::Local { engine } | Self::Kubernetes { engine } => engine.is_simulator(),
            Self::Endpoint { .. } => false,
        }
    }
}

/// Whose runs go first: the queue takes higher priorities before lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// A refresh of the catalog.
    Catalog,
    /// A person waits for it.
    Person,
}

impl Priority {
    /// The word used in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Person => "person",
        }
    }
}

/// Name of the group of runs that share one scarce thing (an accelerator family, this machine, one endpoint) and are
/// therefore limited in number together, across all workers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CapacityGroup(pub String);

impl RunSpec {
    /// The load points that are given, or the most that are explored.
    #[must_use]
    pub fn most_load_points(&self) -> u32 {
        self.exploration.map_or(self.load_points.len() as u32, |exploration| exploration.max_load_points())
    }

    /// The group in which the run takes a place: two runs on one machine or one endpoint would measure each other.
    #[must_use]
    pub fn capacity_group(&self) -> CapacityGroup {
        CapacityGroup(match &self.platform {
            PlatformSpec::Local { .. } => "local".to_owned(),
            PlatformSpec::Endpoint { url } => format!(
                "endpoint:{}:{}",
                url.host_str().unwrap_or_default(),
                url.port_or_known_default().unwrap_or_default()
            ),
            PlatformSpec::Kubernetes { .. } => format!("kubernetes:{}", self.instance_type.family()),
        })
    }
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// What was asked for, with the revision and dataset as they were resolved.
    pub spec: RunSpec,
    /// Where it is in its life.
    pub phase: Phase,
    /// Whose run it is.
    pub priority: Priority,
    /// The name that the person chose to find their runs by.
    pub submitted_by: Option<String>,
    /// When it was submitted.
    pub created_at: DateTime<Utc>,
    /// When it reached its present phase.
    pub phase_since: DateTime<Utc>,
    /// When it is ended at the latest; counted from the moment it leaves the queue.
    pub deadline_at: Option<DateTime<Utc>>,
    /// Whether its cancellation was asked for.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// How often the present step was begun without success.
    pub attempts: u32,
    /// Why nobody works on it any more until a person re-queues it; only a teardown that keeps failing parks a run.
    pub parked_reason: Option<String>,
    /// What the engine turned out to be, once it was ready.
    pub endpoint: Option<ReadyEndpoint>,
    /// What the load generator told last.
    pub progress: Option<LoadProgress>,
    /// Its load points; of an exploration, the most that there may be until it has concluded.
    pub load_point_count: u32,
    /// What its exploration found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// Why the commit of the model is not known, where the Hub was asked for it in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_absent_reason: Option<String>,
}

impl Run {
    /// Whether so many reports are all that there will be.
    #[must_use]
    pub fn has_all_reports(&self, reports: usize) -> bool {
        let concluded = self.spec.exploration.is_none() || self.conclusion.is_some();
        concluded && reports == self.load_point_count as usize
    }
}

/// Where a ready engine answers, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadyEndpoint {
    /// Root of its HTTP interface, without `/v1`.
    pub base_url: Url,
    /// The name under which it serves the model.
    pub served_model_name: String,
    /// What it says of itself.
    pub engine: EngineIdentity,
    /// The arguments it was started with; empty where somebody else started it.
    pub engine_arguments: Vec<String>,
    /// The machine that it runs on, where the platform can see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// Pages of the exporters of accelerator metrics on that machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerator_metrics: Vec<Url>,
}

/// A node of a cluster, as far as the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Accelerators that serve.
    pub accelerators_used: Observed<u32>,
    /// The machine image.
    pub ami: Observed<String>,
    /// Version of the accelerator's driver.
    pub driver_version: Observed<String>,
    /// The availability zone.
    pub availability_zone: Observed<String>,
}

#[cfg(test)]
mod tests {
    use super::{PlatformSpec, RunSpec};

    #[test]
    fn the_least_that_can_be_asked_for_has_sound_defaults() {
        let spec: RunSpec = serde_json::from_str(
            r#"{"model": "meta-llama/Llama-3.1-8B", "instance_type": "g6e.xlarge",
                "platform": {"kind": "local", "engine": "simulator"}}"#,
        )
        .unwrap();
        assert_eq!(spec.validate(), Ok(()));
        assert_eq!(spec.capacity_group().0, "local");
        assert_eq!(spec.tensor_parallel, 1);
    }

    #[test]
    fn runs_on_a_cluster_share_the_family_of_their_instances() {
        let json = serde_json::json!({"model": "m", "instance_type": "p5.48xlarge", "platform": {"kind": "kubernetes"}});
        let spec: RunSpec = serde_json::from_value(json).unwrap();
        assert_eq!((spec.validate(), spec.capacity_group().0.as_str()), (Ok(()), "kubernetes:p5"));
        assert_eq!(spec.platform, PlatformSpec::Kubernetes { engine: "vllm".parse().unwrap() });
    }

    #[test]
    fn runs_on_one_endpoint_share_a_capacity_group() {
        let group = |url: &str| {
            let platform = PlatformSpec::Endpoint { url: url.parse().unwrap() };
            let json = serde_json::json!({"model": "m", "instance_type": "external", "platform": platform});
            serde_json::from_value::<RunSpec>(json).unwrap().capacity_group()
        };
        assert_eq!(group("http://gpu-1:8000"), group("http://gpu-1:8000/v1"));
        assert_ne!(group("http://gpu-1:8000"), group("http://gpu-2:8000"));
    }
}
