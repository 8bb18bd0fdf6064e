//! Refusals of a deployment, each with the nearest that works.

use super::{ChipGeneration, ProfileName, SplitUnit};
use crate::fit::{Alternative, Misfit};
use crate::instance::InstanceTypeName;
use crate::model::{ModelId, Quantization};

/// What to ask for instead; an empty one means that another model or instance type is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nearest {
    /// Another quantisation.
    pub quantization: Option<Quantization>,
    /// Another tensor parallel degree.
    pub tensor_parallel: Option<u32>,
}

/// Why no engine profile serves what was asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unsupported {
    /// The instance type has no accelerator of a kind that a profile serves.
    #[error(
        "no engine profile serves {0}: choose an instance type with GPUs, Inferentia2 or Trainium, such as g6e.xlarge"
    )]
    Accelerator(InstanceTypeName),
    /// A fact that the deployment depends on is not in the catalog.
    #[error("the {what} of {of} is not known, so that it cannot be deployed; add it to the catalog")]
    UnknownFact {
        /// Which fact.
        what: &'static str,
        /// Of which model or instance type.
        of: String,
    },
    /// The profile does not serve the model so quantised.
    #[error(
        "{profile} does not serve {model} in {asked} on {generation}: {why}; the nearest that works is {}",
        .nearest.quantization.map_or("another model", Quantization::as_str)
    )]
    Quantization {
        /// The model.
        model: ModelId,
        /// The quantisation that was asked for, or that the model is published in.
        asked: Quantization,
        /// The profile of the instance type.
        profile: ProfileName,
        /// The chips of the instance type.
        generation: ChipGeneration,
        /// The reason.
        why: &'static str,
        /// What works.
        nearest: Nearest,
    },
    /// The instance type cannot be split that way.
    #[error(
        "tensor parallel {asked} does not go with {instance_type}, which has {}: the nearest that works is {}",
        .unit.counted(*.most),
        .nearest.tensor_parallel.unwrap_or(1)
    )]
    TensorParallel {
        /// The degree that was asked for.
        asked: u32,
        /// The instance type.
        instance_type: InstanceTypeName,
        /// Into how many parts it can be split at most.
        most: u32,
        /// What these parts are.
        unit: SplitUnit,
        /// What works.
        nearest: Nearest,
    },
    /// It does not fit.
    #[error("{model} on {instance_type} {misfit}")]
    DoesNotFit {
        /// The model.
        model: ModelId,
        /// The instance type.
        instance_type: InstanceTypeName,
        /// What is short, and what would fit.
        misfit: Box<Misfit>,
    },
}

impl Unsupported {
    /// What to ask for instead.
    #[must_use]
    pub fn nearest(&self) -> Nearest {
        match self {
            Self::Accelerator(_) | Self::UnknownFact { .. } => Nearest::default(),
            Self::Quantization { nearest, .. } | Self::TensorParallel { nearest, .. } => *nearest,
            Self::DoesNotFit { misfit, .. } => nearest_of(&misfit.alternatives),
        }
    }
}

/// The first that keeps the length of requests.
fn nearest_of(alternatives: &[Alternative]) -> Nearest {
    let nearest = alternatives.iter().find_map(|alternative| match *alternative {
        Alternative::TensorParallel { tensor_parallel } => {
            Some(Nearest { quantization: None, tensor_parallel: Some(tensor_parallel) })
        }
        Alternative::Quantization { quantization, .. } => {
            Some(Nearest { quantization: Some(quantization), tensor_parallel: None })
        }
        Alternative::Context { .. } | Alternative::KvCache { .. } => None,
    });
    nearest.unwrap_or_default()
}
