//! What the operator says of the cluster: where runs live, on which nodes, and who may talk to them. The defaults are
//! what our own charts install.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use accelbench_core::engine::profile::{HostShare, ImageReference, MetricsSource, ProfileName};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::names::owned;

/// The operator's settings of the Kubernetes platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubernetesOptions {
    /// The namespace in which runs live.
    #[serde(default = "runs_namespace")]
    pub namespace: String,
    /// Our own image, which holds the load generator and the simulator.
    pub image: ImageReference,
    /// The simulator's image, where it is another: a run of the simulator rehearses what an engine might do.
    #[serde(default)]
    pub simulator_image: Option<ImageReference>,
    /// Images that are used instead of the profiles' own, for instance with a digest or from a mirror.
    #[serde(default)]
    pub engine_images: BTreeMap<ProfileName, ImageReference>,
    /// Secrets of the namespace with which images are pulled.
    #[serde(default)]
    pub image_pull_secrets: Vec<String>,
    /// Nodes with GPUs.
    #[serde(default = "NodePool::gpu")]
    pub gpu_pool: NodePool,
    /// Nodes with Inferentia or Trainium chips.
    #[serde(default = "NodePool::neuron")]
    pub neuron_pool: NodePool,
    /// Nodes without accelerators, for load generators and simulators.
    #[serde(default = "NodePool::loadgen")]
    pub loadgen_pool: NodePool,
    /// What a load generator asks for and is held to.
    #[serde(default = "loadgen_host")]
    pub loadgen_host: HostShare,
    /// Whether load generators may share a node.
    #[serde(default)]
    pub loadgen_nodes: NodeSharing,
    /// The port on which each node with accelerators has the exporter of their metrics (`hostNetwork` or `hostPort`);
    /// what is left out is not asked.
    #[serde(default = "metrics_ports")]
    pub metrics_ports: BTreeMap<MetricsSource, u16>,
    /// The priority class of a run's pods.
    #[serde(default)]
    pub priority_class: Option<String>,
    /// The service account of engines, for reading a model cache; without one they have none worth the name.
    #[serde(default)]
    pub engine_service_account: Option<String>,
    /// The service account of load generators.
    #[serde(default)]
    pub loadgen_service_account: Option<String>,
    /// The workers, which ask engines whether they are ready.
    #[serde(default = "workers")]
    pub workers: PodPeer,
    /// The API, to which load generators report.
    #[serde(default = "api")]
    pub api: ApiPeer,
}

impl KubernetesOptions {
    /// The settings in a JSON file of the operator.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is no settings of a cluster", file.display()))
    }
}

/// A set of nodes that Karpenter (or a person) makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePool {
    /// Labels that all its nodes carry.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints (key and value, always `NoSchedule`) that all its nodes carry.
    #[serde(default)]
    pub taints: BTreeMap<String, String>,
}

/// Whether load generators may share a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeSharing {
    /// Each has a node of its own, so that none slows another: what measuring needs.
    #[default]
    Forbidden,
    /// They share: for tests on small clusters.
    Allowed,
}

/// Pods of another namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodPeer {
    /// Their namespace.
    pub namespace: String,
    /// Their labels.
    pub labels: BTreeMap<String, String>,
}

/// Where the API is, seen from a load generator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ApiPeer {
    /// In the cluster.
    Pods {
        /// Its pods.
        pods: PodPeer,
        /// The port on which the pods (not their Service) listen.
        port: u16,
    },
    /// Outside.
    Addresses {
        /// A range of addresses, for instance `10.250.0.254/32`.
        cidr: String,
        /// The port.
        port: u16,
    },
}

/// The taint of all our pools; it keeps others off nodes on which something is measured.
const DEDICATED: (&str, &str) = ("accelbench.dev/dedicated", "true");

/// The label that names the pool.
const POOL: &str = "accelbench.dev/pool";

impl NodePool {
    /// The pool with GPUs.
    #[must_use]
    pub fn gpu() -> Self {
        Self { labels: owned([(POOL, "gpu")]), taints: owned([DEDICATED, ("nvidia.com/gpu", "true")]) }
    }

    /// The pool with Inferentia and Trainium chips.
    #[must_use]
    pub fn neuron() -> Self {
        Self {
            labels: owned([(POOL, "neuron")]),
            taints: owned([DEDICATED, ("aws.amazon.com/neuron", "true")]),
        }
    }

    /// The pool without accelerators.
    #[must_use]
    pub fn loadgen() -> Self {
        Self { labels: owned([(POOL, "loadgen")]), taints: owned([DEDICATED]) }
    }
}

impl KubernetesOptions {
    /// The defaults, with our own image.
    #[must_use]
    pub fn new(image: ImageReference) -> Self {
        Self {
            namespace: runs_namespace(),
            image,
            simulator_image: None,
            engine_images: BTreeMap::new(),
            image_pull_secrets: Vec::new(),
            gpu_pool: NodePool::gpu(),
            neuron_pool: NodePool::neuron(),
            loadgen_pool: NodePool::loadgen(),
            loadgen_host: loadgen_host(),
            loadgen_nodes: NodeSharing::default(),
            metrics_ports: metrics_ports(),
            priority_class: None,
            engine_service_account: None,
            loadgen_service_account: None,
            workers: workers(),
            api: api(),
        }
    }
}

fn runs_namespace() -> String {
    "accelbench-runs".to_owned()
}

/// Four whole processors: a load generator that waits for its own measures itself.
fn loadgen_host() -> HostShare {
    HostShare { cpu_millicores: 4000, memory_mib: 4096 }
}

/// The exporters' own.
fn metrics_ports() -> BTreeMap<MetricsSource, u16> {
    [(MetricsSource::DcgmExporter, 9400), (MetricsSource::NeuronMonitor, 8000)].into()
}

fn ours(component: &str) -> PodPeer {
    let labels =
        owned([("app.kubernetes.io/name", "accelbench"), ("app.kubernetes.io/component", component)]);
    PodPeer { namespace: "accelbench".to_owned(), labels }
}

fn workers() -> PodPeer {
    ours("worker")
}

fn api() -> ApiPeer {
    ApiPeer::Pods { pods: ours("api"), port: 8080 }
}

#[cfg(test)]
mod tests {
    use super::{KubernetesOptions, NodePool, NodeSharing};

    /// What our Helm chart writes for two of its cases; `make test-deploy` compares these files with what it renders.
    const CHART_MINIMAL: &str = include_str!("../../../../deploy/helm/accelbench/ci/minimal.cluster.json");
    const CHART_FULL: &str = include_str!("../../../../deploy/helm/accelbench/ci/full.cluster.json");

    #[test]
    fn the_image_is_all_that_must_be_said() {
        let options: KubernetesOptions =
            serde_json::from_str(r#"{"image": "registry.test/accelbench:0.1.0"}"#).unwrap();
        assert_eq!(options, KubernetesOptions::new("registry.test/accelbench:0.1.0".parse().unwrap()));
    }

    #[test]
    fn the_charts_settings_are_understood() {
        let minimal: KubernetesOptions = serde_json::from_str(CHART_MINIMAL).unwrap();
        assert_eq!((minimal.gpu_pool, minimal.namespace), (NodePool::gpu(), "accelbench-runs".to_owned()));
        let full: KubernetesOptions = serde_json::from_str(CHART_FULL).unwrap();
        assert_eq!(full.loadgen_nodes, NodeSharing::Allowed);
        assert_eq!(full.image_pull_secrets, ["registry"]);
    }
}
