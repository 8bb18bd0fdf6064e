//! Whether a model fits an instance type: weights, what the engine needs for itself, and the key-value cache that is
//! left, reckoned for one accelerator and explained in numbers. It says what an engine can hold, not how fast it is.
//!
//! An engine starts when one sequence of the asked length fits. Further sequences wait for room, so that too many of
//! them are said in [`Room`] and are no misfit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::instance::InstanceType;
use crate::model::{Model, Quantization};

mod alternative;
mod memory;
mod possible;
mod sentence;

pub use alternative::Alternative;
use memory::Budget;
pub(crate) use memory::weights_bytes;
pub use memory::weights_gib;
pub use possible::Possible;

/// What is known of a model that decides whether it fits. An unknown fact is `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ModelFacts {
    /// All parameters, in 10^9.
    pub params_total_b: Option<f64>,
    /// Parameters used for one token, in 10^9.
    pub params_active_b: Option<f64>,
    /// Number of decoder layers.
    pub layers: Option<u32>,
    /// The experts of a mixture; `None` for a dense model too.
    pub experts: Option<Experts>,
    /// Number of attention heads.
    pub attention_heads: Option<u32>,
    /// Number of heads that the key-value cache can be split over: 1 with latent attention, whose cache every
    /// accelerator holds whole.
    pub kv_heads: Option<u32>,
    /// Bytes of key-value cache for one token in 16-bit precision.
    pub kv_cache_bytes_per_token: Option<f64>,
    /// Longest context that the model is configured for, in tokens.
    pub max_context_tokens: Option<u32>,
}

/// The experts of each layer of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Experts {
    /// How many there are.
    pub count: u32,
    /// How many work on one token.
    pub per_token: u32,
}

/// How the key-value cache is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KvCachePrecision {
    /// In 16 bits.
    #[default]
    Bf16,
    /// In 8 bits.
    Fp8,
}

/// What is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Demand {
    /// How the weights are stored.
    pub quantization: Quantization,
    /// How the key-value cache is stored.
    pub kv_cache: KvCachePrecision,
    /// Longest sequence, input and output together, in tokens.
    pub context_tokens: u32,
    /// Sequences at the same time.
    pub sequences: u32,
}

/// How one replica is spread over accelerators. A Neuron accelerator is the chip, unless [`Possible`] says that cores are
/// counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// Over how many accelerators each layer is split.
    pub tensor_parallel: u32,
    /// Over how many accelerators the experts are spread, where that is more.
    pub expert_parallel: u32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Fit {
    /// It fits, with this much room.
    Fits(Room),
    /// It does not fit.
    DoesNotFit(Misfit),
    /// A fact is missing.
    Unknown {
        /// Which one.
        missing: MissingFact,
    },
}

/// What lies where on each accelerator, and what the rest is good for. Where an accelerator is split into cores, each
/// number that is said of an accelerator is of one core.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Room {
    /// How the replica is spread.
    pub split: Split,
    /// Into how many cores each accelerator is split; 1 where it is not.
    pub parts_per_accelerator: u32,
    /// Replicas that fill the instance.
    pub replicas_per_instance: u32,
    /// Memory of one accelerator, in GiB.
    pub memory_gib: f64,
    /// The part of it that the engine may use, in GiB.
    pub usable_gib: f64,
    /// Weights on one accelerator, in GiB.
    pub weights_gib: f64,
    /// What the engine needs on one accelerator beside weights and cache, in GiB.
    pub overhead_gib: f64,
    /// Key-value cache left on one accelerator, in GiB.
    pub kv_cache_gib: f64,
    /// Bytes that one token takes on one accelerator.
    pub kv_cache_bytes_per_token: f64,
    /// Tokens that one replica's cache holds.
    pub kv_cache_tokens: u64,
    /// Sequences of the full asked length that one replica holds at once.
    pub full_length_sequences: u64,
    /// Of the asked sequences, those that wait when all are of full length and one replica serves them.
    pub waiting_sequences: u32,
}

/// What does not fit, and what comes nearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Misfit {
    /// How it was to be spread.
    pub split: Split,
    /// Into how many cores each accelerator is split; 1 where it is not.
    pub parts_per_accelerator: u32,
    /// What is short.
    pub shortage: Shortage,
    /// What would fit, the smallest change of each kind; empty when nothing on this instance type does.
    pub alternatives: Vec<Alternative>,
}

/// What is short by how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shortage {
    /// The split needs more accelerators than there are.
    Accelerators {
        /// Needed.
        needed: u32,
        /// There.
        available: u32,
    },
    /// The heads do not divide by the tensor parallel degree, or a GPU's degree is no power of two.
    Heads {
        /// Number of attention heads, if known.
        attention_heads: Option<u32>,
    },
    /// The model is not configured for contexts of that length.
    ContextLimit {
        /// Longest context, in tokens.
        max_context_tokens: u32,
        /// Asked, in tokens.
        context_tokens: u32,
    },
    /// Weights and overhead leave no room.
    Weights {
        /// Weights on each accelerator, in GiB.
        weights_gib: f64,
        /// What the engine needs beside them, and a fifth of the weights where the cache's size is not known, in GiB.
        overhead_gib: f64,
        /// Usable on each accelerator, in GiB.
        usable_gib: f64,
    },
    /// The cache does not hold one sequence.
    KvCache {
        /// Weights on each accelerator, in GiB.
        weights_gib: f64,
        /// What the engine needs beside them, in GiB.
        overhead_gib: f64,
        /// Usable on each accelerator, in GiB.
        usable_gib: f64,
        /// Tokens that it holds.
        kv_cache_tokens: u64,
        /// Asked, in tokens.
        context_tokens: u32,
    },
}

/// A fact without which the question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingFact {
    /// The model's number of parameters.
    Parameters,
    /// The model's bytes of key-value cache per token, as for hybrid attention.
    KvCacheBytesPerToken,
    /// How many accelerators the instance type has.
    AcceleratorCount,
    /// How much memory an accelerator has.
    AcceleratorMemory,
    /// How fast an accelerator reads its memory.
    AcceleratorBandwidth,
    /// The model's number of layers.
    Layers,
}

impl Split {
    /// A replica that is split over `tensor_parallel` accelerators in every respect.
    #[must_use]
    pub fn tensor_parallel(tensor_parallel: u32) -> Self {
        Self { tensor_parallel, expert_parallel: tensor_parallel }
    }

    /// Accelerators that one replica takes.
    #[must_use]
    pub fn accelerators(self) -> u32 {
        self.tensor_parallel.max(self.expert_parallel)
    }
}

impl From<&Model> for ModelFacts {
    fn from(model: &Model) -> Self {
        let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
        let experts = count(model.expert_count).zip(count(model.experts_per_token));
        Self {
            params_total_b: model.params_total_b,
            params_active_b: model.params_active_b,
            layers: count(model.layers),
            experts: experts.map(|(count, per_token)| Experts { count, per_token }),
            attention_heads: count(model.attention_heads),
            kv_heads: count(model.kv_heads),
            kv_cache_bytes_per_token: model.kv_cache_bytes_per_token,
            max_context_tokens: count(model.max_context_tokens),
        }
    }
}

impl Fit {
    /// The room, if it fits.
    #[must_use]
    pub fn room(&self) -> Option<&Room> {
        match self {
            Self::Fits(room) => Some(room),
            Self::DoesNotFit(_) | Self::Unknown { .. } => None,
        }
    }
}

/// Whether the model fits when one replica is spread as `split` says.
#[must_use]
pub fn fit(model: &ModelFacts, instance: &InstanceType, demand: &Demand, split: Split) -> Fit {
    fit_within(model, instance, demand, split, &Possible::on(instance))
}

/// The same with an engine that allows some spreads and precisions alone.
#[must_use]
pub fn fit_within(
    model: &ModelFacts,
    instance: &InstanceType,
    demand: &Demand,
    split: Split,
    possible: &Possible,
) -> Fit {
    match Budget::of(model, instance, demand, possible) {
        Err(missing) => Fit::Unknown { missing },
        Ok(budget) => match budget.room(split) {
            Ok(Some(room)) => Fit::Fits(room),
            Ok(None) => Fit::Unknown { missing: MissingFact::KvCacheBytesPerToken },
            Err(shortage) => {
                let alternatives = alternative::nearest(&budget, split);
                let parts_per_accelerator = possible.parts_per_accelerator;
                Fit::DoesNotFit(Misfit { split, parts_per_accelerator, shortage, alternatives })
            }
        },
    }
}

/// The fit at the smallest tensor parallel degree at which the model fits; if it fits at none, the answer at the
/// largest one that the instance type offers.
#[must_use]
pub fn smallest_tensor_parallel(model: &ModelFacts, instance: &InstanceType, demand: &Demand) -> Fit {
    let possible = Possible::on(instance);
    match Budget::of(model, instance, demand, &possible) {
        Err(missing) => Fit::Unknown { missing },
        Ok(budget) => {
            let degree =
                budget.smallest_tensor_parallel(1).unwrap_or_else(|| budget.largest_tensor_parallel());
            fit(model, instance, demand, Split::tensor_parallel(degree))
        }
    }
}

#[cfg(test)]
mod facts;
#[cfg(test)]
mod tests;
