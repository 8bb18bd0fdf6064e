//! Over what a model is split, and how often it is repeated so that no chip of the instance idles.

use std::fmt;
use std::iter::successors;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ChipGeneration, Nearest, ProfileName, Unsupported};
use crate::instance::{InstanceType, InstanceTypeName};

/// What tensor parallelism counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitUnit {
    /// A GPU.
    Gpu,
    /// A NeuronCore as the engine sees it; on Trainium2 two physical ones.
    LogicalNeuronCore,
}

impl SplitUnit {
    /// So many of them, in words.
    #[must_use]
    pub fn counted(self, count: u32) -> String {
        let unit = match self {
            Self::Gpu => "GPU",
            Self::LogicalNeuronCore => "logical NeuronCore",
        };
        if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
    }
}

/// How a model is spread over the chips of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parallelism {
    /// Over how many units one replica is split.
    pub tensor_parallel: u32,
    /// How many replicas there are.
    pub data_parallel: u32,
    /// What tensor parallelism counts.
    pub unit: SplitUnit,
    /// Chips that work.
    pub chips_used: u32,
    /// Chips that the instance has; all of them are paid for.
    pub chips: u32,
}

impl fmt::Display for Parallelism {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tensor_parallel, data_parallel, unit, chips_used, chips } = *self;
        let units = unit.counted(tensor_parallel);
        match data_parallel {
            1 => write!(formatter, "one replica over {units}")?,
            replicas => write!(formatter, "{replicas} replicas over {units} each")?,
        }
        write!(formatter, ": {chips_used} of {chips} chips used")
    }
}

/// The parts into which an instance's chips can be split.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    instance_type: InstanceTypeName,
    profile: ProfileName,
    unit: SplitUnit,
    chips: u32,
    pub(super) per_chip: u32,
}

/// Chips of a Trainium instance that can work together: its links make rings of these sizes alone.
const TRAINIUM_RINGS: [u32; 4] = [1, 4, 8, 16];

impl Parts {
    pub(super) fn of(instance: &InstanceType, generation: ChipGeneration) -> Result<Self, Unsupported> {
        let unknown =
            |what| Unsupported::UnknownFact { what, of: instance.instance_type.as_str().to_owned() };
        let chips = instance.accelerator_count.filter(|&count| count > 0);
        let chips = chips.ok_or_else(|| unknown("number of accelerators"))? as u32;
        let (profile, per_chip) = (generation.profile(), generation.parts_per_chip());
        let unit = if profile.compiles() { SplitUnit::LogicalNeuronCore } else { SplitUnit::Gpu };
        Ok(Self { instance_type: instance.instance_type.clone(), profile, unit, chips, per_chip })
    }

    /// All parts of the instance.
    pub(super) fn most(&self) -> u32 {
        self.chips * self.per_chip
    }

    /// The degrees of tensor parallelism that the chips' links allow, from small to large.
    pub(super) fn degrees(&self) -> Vec<u32> {
        let powers_of_two = successors(Some(1_u32), |degree| degree.checked_mul(2));
        powers_of_two
            .take_while(|&degree| degree <= self.most())
            .filter(|&degree| self.allows(degree))
            .collect()
    }

    fn allows(&self, degree: u32) -> bool {
        let in_rings = !self.instance_type.family().starts_with("trn1")
            || TRAINIUM_RINGS.contains(&degree.div_ceil(self.per_chip));
        (1..=self.most()).contains(&degree) && in_rings
    }

    /// The spread with a degree that was asked for.
    pub(super) fn spread(&self, tensor_parallel: u32) -> Result<Parallelism, Unsupported> {
        if !self.allows(tensor_parallel) {
            let nearest = self.degrees().into_iter().min_by_key(|degree| degree.abs_diff(tensor_parallel));
            return Err(Unsupported::TensorParallel {
                asked: tensor_parallel,
                instance_type: self.instance_type.clone(),
                most: self.most(),
                unit: self.unit,
                nearest: Nearest { quantization: None, tensor_parallel: nearest },
            });
        }
        // The Neuron back ends know no data parallelism: what tensor parallelism leaves idles, and the result says so.
        let data_parallel = if self.profile.compiles() { 1 } else { self.most() / tensor_parallel };
        let chips_used = (tensor_parallel * data_parallel).div_ceil(self.per_chip);
        let chips = self.chips;
        Ok(Parallelism { tensor_parallel, data_parallel, unit: self.unit, chips_used, chips })
    }
}
