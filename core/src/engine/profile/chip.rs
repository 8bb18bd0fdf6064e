//! Generations of chips: what decides which profile serves an instance type and which kernels a precision gets.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ProfileName;
use crate::instance::InstanceType;

/// A generation of accelerator chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChipGeneration {
    /// A10G and A100.
    Ampere,
    /// L4 and L40S.
    Ada,
    /// H100 and H200.
    Hopper,
    /// B200, B300 and the RTX PRO servers.
    Blackwell,
    /// Inferentia2 and Trainium: two NeuronCores to a chip.
    NeuronCoreV2,
    /// Trainium2: eight NeuronCores to a chip, used as four logical ones.
    NeuronCoreV3,
}

impl ChipGeneration {
    /// The generation of an instance type's chips, if a profile serves it.
    #[must_use]
    pub fn of(instance: &InstanceType) -> Option<Self> {
        let name = instance.accelerator_name.as_deref()?;
        match name {
            "A10G" | "A100" => Some(Self::Ampere),
            "L4" | "L40S" => Some(Self::Ada),
            "H100" | "H200" => Some(Self::Hopper),
            "B200" | "B300" => Some(Self::Blackwell),
            "Inferentia2" | "Trainium" => Some(Self::NeuronCoreV2),
            "Trainium2" => Some(Self::NeuronCoreV3),
            _ => name.starts_with("RTX PRO").then_some(Self::Blackwell),
        }
    }

    /// The profile that serves it.
    #[must_use]
    pub fn profile(self) -> ProfileName {
        match self {
            Self::Ampere | Self::Ada | Self::Hopper | Self::Blackwell => ProfileName::VllmGpu,
            Self::NeuronCoreV2 => ProfileName::VllmNxdi,
            Self::NeuronCoreV3 => ProfileName::VllmNeuron,
        }
    }

    /// Into how many parts a chip can be split by tensor parallelism: logical NeuronCores, and one for a GPU.
    #[must_use]
    pub fn parts_per_chip(self) -> u32 {
        match self {
            Self::Ampere | Self::Ada | Self::Hopper | Self::Blackwell => 1,
            Self::NeuronCoreV2 => 2,
            Self::NeuronCoreV3 => 4,
        }
    }

    /// Whether it multiplies 8-bit floating-point numbers; Ampere only stores them.
    #[must_use]
    pub fn computes_in_fp8(self) -> bool {
        matches!(self, Self::Ada | Self::Hopper | Self::Blackwell)
    }
}

impl fmt::Display for ChipGeneration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ampere => "Ampere",
            Self::Ada => "Ada Lovelace",
            Self::Hopper => "Hopper",
            Self::Blackwell => "Blackwell",
            Self::NeuronCoreV2 => "NeuronCore-v2",
            Self::NeuronCoreV3 => "NeuronCore-v3",
        })
    }
}
