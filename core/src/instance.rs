//! Instance types and their accelerators. Two names stand beside the AWS ones for what is no instance of ours:
//! `local` is the machine that a worker runs on, `external` is whatever serves a foreign endpoint.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::text_newtype;

/// Name of an instance type, for instance `p5.48xlarge`, `local` or `external`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceTypeName(String);

/// Why a text is no name of an instance type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an instance type: give a name such as `g6e.xlarge`, or `local` or `external`")]
pub struct InvalidInstanceType(String);

impl InstanceTypeName {
    /// The machine that the worker itself runs on.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The unknown machine behind an endpoint that somebody else runs.
    #[must_use]
    pub fn external() -> Self {
        Self("external".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is an AWS instance type, so that it has accelerator facts and a price.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        self.0.contains('.')
    }

    /// The family, which is the part before the dot: `p5` of `p5.48xlarge`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl FromStr for InstanceTypeName {
    type Err = InvalidInstanceType;

    fn from_str(text: &str) -> Result<Self, InvalidInstanceType> {
        let well_formed = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        let acceptable = match text.split_once('.') {
            Some((family, size)) => text.len() <= 40 && well_formed(family) && well_formed(size),
            None => text == "local" || text == "external",
        };
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidInstanceType(text.to_owned())) }
    }
}

text_newtype!(InstanceTypeName, InvalidInstanceType);

/// Which kind of chip an instance carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcceleratorKind {
    /// A GPU, served by vLLM.
    Gpu,
    /// An AWS Inferentia or Trainium chip, served by vLLM with a Neuron back end.
    Neuron,
    /// Not known: the local machine, or a foreign endpoint.
    Unknown,
}

impl AcceleratorKind {
    /// The word used in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Neuron => "neuron",
            Self::Unknown => "unknown",
        }
    }
}

/// Who makes a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcceleratorVendor {
    /// Makes every GPU of the instance types here.
    Nvidia,
    /// Makes Inferentia and Trainium.
    Aws,
}

impl AcceleratorVendor {
    /// The kind of chip that the vendor makes.
    #[must_use]
    pub fn accelerator_kind(self) -> AcceleratorKind {
        match self {
            Self::Nvidia => AcceleratorKind::Gpu,
            Self::Aws => AcceleratorKind::Neuron,
        }
    }
}

/// An instance type with what is known of its accelerators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceType {
    /// Its name.
    pub instance_type: InstanceTypeName,
    /// Its family, for instance `g6e`.
    pub family: String,
    /// Which kind of accelerator it carries.
    pub accelerator_kind: AcceleratorKind,
    /// The accelerator's name, for instance `L40S`.
    pub accelerator_name: Option<String>,
    /// How many accelerators it carries.
    pub accelerator_count: Option<i32>,
    /// Memory of one accelerator, in GiB.
    pub accelerator_memory_gib: Option<f64>,
    /// Memory bandwidth of one accelerator, in GB/s.
    pub accelerator_bandwidth_gb_per_s: Option<f64>,
    /// Dense 16-bit rate of one accelerator, in TFLOP/s.
    pub accelerator_bf16_tflops: Option<f64>,
    /// How the accelerators are connected.
    pub interconnect: Option<String>,
    /// Number of virtual CPUs.
    pub vcpu: Option<i32>,
    /// Memory of the host, in GiB.
    pub memory_gib: Option<f64>,
    /// Where the facts come from.
    pub source: String,
}

impl InstanceType {
    /// Memory of all accelerators together, in GiB.
    #[must_use]
    pub fn accelerator_memory_total_gib(&self) -> Option<f64> {
        Some(self.accelerator_memory_gib? * f64::from(self.accelerator_count?))
    }
}

#[cfg(test)]
mod tests {
    use super::InstanceTypeName;

    #[test]
    fn families_are_read_off_the_name() {
        for (name, family, aws) in
            [("p5.48xlarge", "p5", true), ("p6-b200.48xlarge", "p6-b200", true), ("local", "local", false)]
        {
            let instance_type: InstanceTypeName = name.parse().unwrap();
            assert_eq!((instance_type.family(), instance_type.is_aws()), (family, aws));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "p5", "p5.", ".48xlarge", "P5.48xlarge", "p5.48xlarge; drop", "p5.48.x"] {
            assert!(text.parse::<InstanceTypeName>().is_err(), "{text}");
        }
    }
}
