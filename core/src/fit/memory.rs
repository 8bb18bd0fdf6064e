//! The arithmetic of one accelerator's memory.

use super::{Demand, KvCachePrecision, ModelFacts, Room, Shortage, Split};
use crate::instance::AcceleratorKind;
use crate::model::Quantization;

/// Bytes of a GiB.
const GIB: f64 = 1_073_741_824.0;

/// vLLM's default `gpu_memory_utilization`. Neuron has no such setting; its compiled programs and scratch space are
/// taken to need as much, for want of a published rule.
const USABLE_SHARE: f64 = 0.90;

/// Activations, CUDA graphs and context of a GPU, in GiB: what vLLM's profile run finds for 2,048 to 8,192 batched
/// tokens, about.
const GPU_OVERHEAD_GIB: f64 = 1.0;

/// Runtime and collectives of a chip's NeuronCores, in GiB; an assumption.
const NEURON_OVERHEAD_GIB: f64 = 2.0;

/// 4-bit weights with their scales take 4.25 bits (one 16-bit scale and zero point for 64 to 128 weights).
const INT4_SCALES: f64 = 4.25 / 4.0;

/// All that is known, with nothing missing.
#[derive(Debug, Clone)]
pub(super) struct Budget<'a> {
    pub(super) model: &'a ModelFacts,
    pub(super) demand: Demand,
    pub(super) kind: AcceleratorKind,
    pub(super) params_total_b: f64,
    pub(super) kv_cache_bytes_per_token: f64,
    pub(super) accelerators: u32,
    pub(super) memory_gib: f64,
}

impl Budget<'_> {
    /// What is left on each accelerator, or what is short.
    pub(super) fn room(&self, split: Split) -> Result<Room, Shortage> {
        self.check_split(split)?;
        self.check_context()?;
        let usable_gib = self.memory_gib * USABLE_SHARE;
        let (weights_gib, overhead_gib) = (self.weights_gib(split), self.overhead_gib());
        let kv_cache_gib = usable_gib - weights_gib - overhead_gib;
        if kv_cache_gib <= 0.0 {
            return Err(Shortage::Weights { needed_gib: weights_gib + overhead_gib, usable_gib });
        }
        let bytes_per_token = self.kv_bytes_on_each(split);
        // With the attention repeated on each accelerator, each holds sequences of its own.
        let holders = f64::from((split.accelerators() / split.tensor_parallel).max(1));
        let tokens_on_each = (kv_cache_gib * GIB / bytes_per_token).floor();
        let context = self.demand.context_tokens.max(1);
        if tokens_on_each < f64::from(context) {
            return Err(Shortage::KvCache {
                kv_cache_tokens: tokens_on_each as u64,
                context_tokens: context,
            });
        }
        let full_length_sequences = ((tokens_on_each / f64::from(context)).floor() * holders) as u64;
        Ok(Room {
            split,
            replicas_per_instance: self.accelerators / split.accelerators(),
            memory_gib: self.memory_gib,
            usable_gib,
            weights_gib,
            overhead_gib,
            kv_cache_gib,
            kv_cache_bytes_per_token: bytes_per_token,
            kv_cache_tokens: (tokens_on_each * holders) as u64,
            full_length_sequences,
            waiting_sequences: u64::from(self.demand.sequences).saturating_sub(full_length_sequences) as u32,
        })
    }

    /// The smallest degree of at least `least` at which the model fits.
    pub(super) fn smallest_tensor_parallel(&self, least: u32) -> Option<u32> {
        self.degrees()
            .into_iter()
            .find(|&degree| degree >= least && self.room(Split::tensor_parallel(degree)).is_ok())
    }

    /// The largest degree that the accelerators and the heads allow.
    pub(super) fn largest_tensor_parallel(&self) -> u32 {
        let possible = |degree: &u32| self.check_split(Split::tensor_parallel(*degree)).is_ok();
        self.degrees().into_iter().rfind(possible).unwrap_or(1)
    }

    /// Powers of two; Neuron splits over all chips too, as over the 12 of an inf2.48xlarge.
    fn degrees(&self) -> Vec<u32> {
        let mut degrees: Vec<u32> = (0..u32::BITS)
            .map(|power| 1 << power)
            .take_while(|degree| *degree <= self.accelerators)
            .collect();
        if self.kind == AcceleratorKind::Neuron && !degrees.contains(&self.accelerators) {
            degrees.push(self.accelerators);
        }
        degrees
    }

    fn check_split(&self, split: Split) -> Result<(), Shortage> {
        let (needed, available) = (split.accelerators(), self.accelerators);
        if needed > available {
            return Err(Shortage::Accelerators { needed, available });
        }
        let degree = split.tensor_parallel;
        let heads = self.model.attention_heads;
        // Neuron pads heads to the number of its cores; vLLM on GPUs does not.
        let divides = self.kind == AcceleratorKind::Neuron
            || (degree.is_power_of_two() && heads.is_none_or(|heads| heads.is_multiple_of(degree)));
        if degree > 0 && divides { Ok(()) } else { Err(Shortage::Heads { attention_heads: heads }) }
    }

    fn check_context(&self) -> Result<(), Shortage> {
        let context_tokens = self.demand.context_tokens;
        match self.model.max_context_tokens {
            Some(max_context_tokens) if max_context_tokens > 0 && context_tokens > max_context_tokens => {
                Err(Shortage::ContextLimit { max_context_tokens, context_tokens })
            }
            _ => Ok(()),
        }
    }

    fn weights_gib(&self, split: Split) -> f64 {
        let total_b = self.params_total_b;
        let spread_b =
            if split.accelerators() > split.tensor_parallel { self.expert_params_b() } else { 0.0 };
        let shared_b = (total_b - spread_b) / f64::from(split.tensor_parallel);
        let on_each_b = shared_b + spread_b / f64::from(split.accelerators());
        weights_bytes(total_b, self.demand.quantization) / total_b * on_each_b / GIB
    }

    /// The experts' part of the parameters. Active = shared + experts x per token / count; without those numbers, at
    /// least what is not active belongs to experts.
    fn expert_params_b(&self) -> f64 {
        let Some(active_b) = self.model.params_active_b else { return 0.0 };
        let idle_b = (self.params_total_b - active_b).max(0.0);
        let idle_share = self
            .model
            .experts
            .map_or(1.0, |experts| 1.0 - f64::from(experts.per_token) / f64::from(experts.count.max(1)));
        if idle_share > 0.0 { (idle_b / idle_share).min(self.params_total_b) } else { 0.0 }
    }

    fn overhead_gib(&self) -> f64 {
        match self.kind {
            AcceleratorKind::Neuron => NEURON_OVERHEAD_GIB,
            AcceleratorKind::Gpu | AcceleratorKind::Unknown => GPU_OVERHEAD_GIB,
        }
    }

    /// The cache is split by heads; accelerators beyond their number hold copies.
    fn kv_bytes_on_each(&self, split: Split) -> f64 {
        let share = match self.demand.kv_cache {
            KvCachePrecision::Bf16 => 1.0,
            KvCachePrecision::Fp8 => 0.5,
        };
        let parts = split.tensor_parallel.min(self.model.kv_heads.unwrap_or(u32::MAX)).max(1);
        self.kv_cache_bytes_per_token * share / f64::from(parts)
    }
}

/// Bytes that the weights take. Quantised models keep their embeddings and output layer in 16 bits: about half the cube
/// root of all parameters in 10^9 (8B: 1.0, 70B: 2.1, 405B: 3.7), as Llama, Qwen and DeepSeek have.
pub(crate) fn weights_bytes(params_total_b: f64, quantization: Quantization) -> f64 {
    let bytes = quantization.bytes_per_weight();
    let bytes_with_scales = match quantization {
        Quantization::Bf16 | Quantization::Fp16 => return params_total_b * 1e9 * bytes,
        Quantization::Fp8 | Quantization::Int8 => bytes,
        Quantization::Int4 => bytes * INT4_SCALES,
    };
    let kept_b = (0.5 * params_total_b.cbrt()).min(params_total_b / 2.0);
    1e9 * (kept_b * 2.0 + (params_total_b - kept_b) * bytes_with_scales)
}
