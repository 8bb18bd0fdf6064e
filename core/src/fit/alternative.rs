//! What would fit instead, each by the smallest change.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::memory::Budget;
use super::{KvCachePrecision, Room, Split};
use crate::model::Quantization;

/// A change with which the model fits the same instance type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Alternative {
    /// Another tensor parallel degree.
    TensorParallel {
        /// Over how many accelerators.
        tensor_parallel: u32,
    },
    /// A shorter context, at the same split.
    Context {
        /// Longest that fits, in tokens.
        context_tokens: u32,
    },
    /// The key-value cache in 8 bits.
    KvCache {
        /// How it would be stored.
        kv_cache: KvCachePrecision,
    },
    /// Smaller weights, over all accelerators if need be.
    Quantization {
        /// How they would be stored.
        quantization: Quantization,
        /// Over how many accelerators.
        tensor_parallel: u32,
    },
}

impl fmt::Display for Alternative {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TensorParallel { tensor_parallel } => {
                write!(formatter, "tensor parallel {tensor_parallel}")
            }
            Self::Context { context_tokens } => write!(formatter, "a context of {context_tokens} tokens"),
            Self::KvCache { .. } => formatter.write_str("a key-value cache in fp8"),
            Self::Quantization { quantization, tensor_parallel } => {
                write!(formatter, "{quantization} weights at tensor parallel {tensor_parallel}")
            }
        }
    }
}

/// The smallest change of each kind that fits.
pub(super) fn nearest(budget: &Budget<'_>, split: Split) -> Vec<Alternative> {
    let degree = budget
        .smallest_tensor_parallel(split.tensor_parallel.saturating_add(1))
        .or_else(|| budget.smallest_tensor_parallel(1))
        .filter(|degree| *degree != split.tensor_parallel);
    [
        degree.map(|tensor_parallel| Alternative::TensorParallel { tensor_parallel }),
        shorter_context(budget, split),
        smaller_cache(budget, split),
        smaller_weights(budget, split),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn shorter_context(budget: &Budget<'_>, split: Split) -> Option<Alternative> {
    let mut shortest = budget.clone();
    shortest.demand.context_tokens = 1;
    let Room { full_length_sequences: tokens, split, .. } = shortest.room(split).ok()??;
    let holders = u64::from((split.accelerators() / split.tensor_parallel).max(1));
    let limit = budget.model.max_context_tokens.unwrap_or(u32::MAX);
    let context_tokens = u32::try_from(tokens / holders).unwrap_or(u32::MAX).min(limit);
    (context_tokens > 0).then_some(Alternative::Context { context_tokens })
}

fn smaller_cache(budget: &Budget<'_>, split: Split) -> Option<Alternative> {
    let mut smaller = budget.clone();
    smaller.demand.kv_cache = KvCachePrecision::Fp8;
    let is_possible = budget.possible.kv_caches.contains(&KvCachePrecision::Fp8);
    let differs = budget.demand.kv_cache != KvCachePrecision::Fp8;
    (is_possible && differs && smaller.room(split).is_ok())
        .then_some(Alternative::KvCache { kv_cache: KvCachePrecision::Fp8 })
}

fn smaller_weights(budget: &Budget<'_>, split: Split) -> Option<Alternative> {
    let bytes = budget.demand.quantization.bytes_per_weight();
    let smaller = budget.possible.quantizations.iter().filter(|it| it.bytes_per_weight() < bytes);
    smaller.copied().find_map(|quantization| {
        let mut smaller = budget.clone();
        smaller.demand.quantization = quantization;
        let tensor_parallel = smaller.smallest_tensor_parallel(split.tensor_parallel)?;
        Some(Alternative::Quantization { quantization, tensor_parallel })
    })
}
