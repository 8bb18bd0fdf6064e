//! What an engine allows on an instance type, so that nothing is offered that it would refuse.

use super::KvCachePrecision;
use crate::instance::{AcceleratorKind, InstanceType};
use crate::model::Quantization;

/// The spreads and precisions among which alternatives are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possible {
    /// Into how many cores each accelerator is split, over which the replica is spread; 1 where it is not.
    pub parts_per_accelerator: u32,
    /// Tensor parallel degrees, from small to large.
    pub degrees: Vec<u32>,
    /// Precisions of weights, the best first.
    pub quantizations: Vec<Quantization>,
    /// Precisions of the cache, the best first.
    pub kv_caches: Vec<KvCachePrecision>,
}

impl Possible {
    /// Powers of two; Neuron splits over all chips too, as over the 12 of an inf2.48xlarge.
    pub(super) fn on(instance: &InstanceType) -> Self {
        let accelerators = instance.accelerator_count.map_or(0, |count| u32::try_from(count).unwrap_or(0));
        let mut degrees: Vec<u32> =
            (0..u32::BITS).map(|power| 1 << power).take_while(|degree| *degree <= accelerators).collect();
        if instance.accelerator_kind == AcceleratorKind::Neuron && !degrees.contains(&accelerators) {
            degrees.push(accelerators);
        }
        Self {
            parts_per_accelerator: 1,
            degrees,
            quantizations: vec![Quantization::Fp8, Quantization::Int4],
            kv_caches: vec![KvCachePrecision::Bf16, KvCachePrecision::Fp8],
        }
    }
}
