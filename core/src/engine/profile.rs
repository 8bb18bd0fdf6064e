//! Engine profiles as data: which image serves which chips, how it is started, and how it is watched. The PRD's
//! "transformers-neuronx" back end is gone from current Neuron releases: Trainium2 is served by vLLM's Neuron plug-in,
//! Inferentia2 and Trainium by the last images with NxD Inference. No profile ever passes `--trust-remote-code`.
//!
//! [`choose`] turns a model and an instance type into a [`DeploymentPlan`], or says what to ask for instead.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod chip;
mod fit;
mod flags;
mod host;
mod image;
mod parallelism;
mod plan;
mod precision;
mod request;
#[cfg(test)]
mod tests;
mod unsupported;

pub use chip::ChipGeneration;
pub use host::HostShare;
pub use image::{ImageReference, InvalidImage};
pub use parallelism::{Parallelism, SplitUnit};
pub use plan::{AcceleratorRequest, DeploymentPlan, choose};
pub use precision::{Precision, published_quantization};
pub use request::{DeploymentRequest, PrefixCaching};
pub use unsupported::{Nearest, Unsupported};

/// The port on which every profile serves.
pub const ENGINE_PORT: u16 = 8000;

/// Name of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileName {
    /// vLLM on NVIDIA GPUs.
    VllmGpu,
    /// vLLM with the Neuron plug-in, on Trainium2.
    VllmNeuron,
    /// vLLM with NxD Inference, on Inferentia2 and Trainium; AWS only maintains it.
    VllmNxdi,
}

/// Where the accelerator's own metrics come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricsSource {
    /// NVIDIA's DCGM exporter on the engine's node.
    DcgmExporter,
    /// AWS's neuron-monitor on the engine's node.
    NeuronMonitor,
}

/// How one kind of engine is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: ProfileName,
    /// The image that is used unless the operator names another, or a digest.
    pub image: &'static str,
    /// What is started; the image's own entry point is not relied on.
    pub entry_point: [&'static str; 2],
    /// The Kubernetes resource that stands for one chip.
    pub accelerator_resource: &'static str,
    /// Answers once the model is loaded.
    pub readiness_path: &'static str,
    /// Answers as long as the process lives.
    pub liveness_path: &'static str,
    /// Where the accelerator's own metrics come from.
    pub metrics: MetricsSource,
    /// Most requests that one replica computes at once. Neuron compiles static batches, each row of which takes memory.
    pub most_sequences: u32,
    /// Variables that the engine is started with.
    pub environment: &'static [(&'static str, &'static str)],
}

/// Whatever engine: a cache on the node's disk, and no telemetry.
macro_rules! environment {
    ($($own:expr),*) => {
        &[
            ("DO_NOT_TRACK", "1"),
            ("HF_HOME", "/cache/hf"),
            ("HF_HUB_DISABLE_TELEMETRY", "1"),
            $($own,)*
            ("VLLM_NO_USAGE_STATS", "1"),
        ]
    };
}

const VLLM_GPU: Profile = Profile {
    name: ProfileName::VllmGpu,
    image: "vllm/vllm-openai:v0.33.0",
    entry_point: ["vllm", "serve"],
    accelerator_resource: "nvidia.com/gpu",
    readiness_path: "/v1/models",
    liveness_path: "/health",
    metrics: MetricsSource::DcgmExporter,
    most_sequences: 1024,
    environment: environment!(),
};

const VLLM_NEURON: Profile = Profile {
    name: ProfileName::VllmNeuron,
    image: "public.ecr.aws/neuron/pytorch-inference-vllm-neuronx:0.29.0.1.2.0-neuronx-py314-sdk2.33.0-ubuntu26.04",
    accelerator_resource: "aws.amazon.com/neuron",
    metrics: MetricsSource::NeuronMonitor,
    most_sequences: 32,
    // Two physical cores make a logical one: the compiler's default on Trainium2, and what tensor parallelism counts.
    environment: environment!(
        ("NEURON_COMPILED_ARTIFACTS", "/cache/neuron"),
        ("NEURON_LOGICAL_NC_CONFIG", "2"),
        ("VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS", "1800"),
        ("VLLM_NEURON_COMPILATION_TIMEOUT", "1800")
    ),
    ..VLLM_GPU
};

const VLLM_NXDI: Profile = Profile {
    name: ProfileName::VllmNxdi,
    // The last SDK whose images hold NxD Inference.
    image: "public.ecr.aws/neuron/pytorch-inference-vllm-neuronx:0.16.0-neuronx-py312-sdk2.31.1-ubuntu24.04",
    environment: environment!(
        ("NEURON_COMPILED_ARTIFACTS", "/cache/neuron"),
        ("VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS", "1800"),
        ("VLLM_NEURON_FRAMEWORK", "neuronx-distributed-inference")
    ),
    ..VLLM_NEURON
};

impl ProfileName {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::VllmGpu, Self::VllmNeuron, Self::VllmNxdi];

    /// The word used in JSON, on the command line and in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VllmGpu => "vllm-gpu",
            Self::VllmNeuron => "vllm-neuron",
            Self::VllmNxdi => "vllm-nxdi",
        }
    }

    /// What the profile says.
    #[must_use]
    pub fn profile(self) -> Profile {
        match self {
            Self::VllmGpu => VLLM_GPU,
            Self::VllmNeuron => VLLM_NEURON,
            Self::VllmNxdi => VLLM_NXDI,
        }
    }

    /// Whether models are compiled before they are served, which takes minutes to more than half an hour.
    #[must_use]
    pub fn compiles(self) -> bool {
        matches!(self, Self::VllmNeuron | Self::VllmNxdi)
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a text is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no engine profile; there are vllm-gpu, vllm-neuron and vllm-nxdi")]
pub struct InvalidProfile(String);

impl FromStr for ProfileName {
    type Err = InvalidProfile;

    fn from_str(text: &str) -> Result<Self, InvalidProfile> {
        let named = |profile: &Self| profile.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| InvalidProfile(text.to_owned()))
    }
}
