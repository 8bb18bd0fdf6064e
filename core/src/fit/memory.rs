//! The arithmetic of one accelerator's memory, or of one core's where an accelerator is split into cores.

use super::{Demand, KvCachePrecision, MissingFact, ModelFacts, Possible, Room, Shortage, Split};
use crate::instance::{AcceleratorKind, InstanceType};
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

/// Room for a cache of unknown size, as a share of the weights: a rule of thumb for models whose attention is not alike in
/// all layers.
const UNKNOWN_CACHE_SHARE: f64 = 0.2;

/// 4-bit weights with their scales take 4.25 bits (one 16-bit scale and zero point for 64 to 128 weights).
const INT4_SCALES: f64 = 4.25 / 4.0;

/// All that is known; the cache alone may be missing.
#[derive(Debug, Clone)]
pub(super) struct Budget<'a> {
    pub(super) model: &'a ModelFacts,
    pub(super) demand: Demand,
    pub(super) possible: &'a Possible,
    kind: AcceleratorKind,
    params_total_b: f64,
    kv_cache_bytes_per_token: Option<f64>,
    /// Accelerators, or cores where these are counted.
    parts: u32,
    /// Memory of one of them.
    memory_gib: f64,
}

impl<'a> Budget<'a> {
    /// What is known, or what is missing.
    pub(super) fn of(
        model: &'a ModelFacts,
        instance: &InstanceType,
        demand: &Demand,
        possible: &'a Possible,
    ) -> Result<Self, MissingFact> {
        let known = |fact: Option<f64>| fact.filter(|value| value.is_finite() && *value > 0.0);
        let count = instance.accelerator_count.and_then(|count| u32::try_from(count).ok());
        let per_accelerator = possible.parts_per_accelerator.max(1);
        let params_total_b = known(model.params_total_b).ok_or(MissingFact::Parameters)?;
        let accelerators = count.filter(|count| *count > 0).ok_or(MissingFact::AcceleratorCount)?;
        let memory_gib = known(instance.accelerator_memory_gib).ok_or(MissingFact::AcceleratorMemory)?;
        Ok(Self {
            model,
            demand: *demand,
            possible,
            kind: instance.accelerator_kind,
            params_total_b,
            kv_cache_bytes_per_token: known(model.kv_cache_bytes_per_token),
            parts: accelerators.saturating_mul(per_accelerator),
            memory_gib: memory_gib / f64::from(per_accelerator),
        })
    }

    /// What is left on each accelerator, or what is short. Nothing where the weights fit and the cache's size is not known.
    pub(super) fn room(&self, split: Split) -> Result<Option<Room>, Shortage> {
        self.check_split(split)?;
        self.check_context()?;
        let usable_gib = self.memory_gib * USABLE_SHARE;
        let (weights_gib, overhead_gib) = (self.weights_gib(split), self.overhead_gib());
        let kv_cache_gib = usable_gib - weights_gib - overhead_gib;
        let least_gib =
            if self.kv_cache_bytes_per_token.is_none() { UNKNOWN_CACHE_SHARE * weights_gib } else { 0.0 };
        if kv_cache_gib <= least_gib {
            return Err(Shortage::Weights {
                weights_gib,
                overhead_gib: overhead_gib + least_gib,
                usable_gib,
            });
        }
        let Some(bytes_per_token) = self.kv_bytes_on_each(split) else { return Ok(None) };
        // With the attention repeated on each accelerator, each holds sequences of its own.
        let holders = f64::from((split.accelerators() / split.tensor_parallel).max(1));
        let tokens_on_each = (kv_cache_gib * GIB / bytes_per_token).floor();
        let context_tokens = self.demand.context_tokens.max(1);
        if tokens_on_each < f64::from(context_tokens) {
            let kv_cache_tokens = tokens_on_each as u64;
            return Err(Shortage::KvCache {
                weights_gib,
                overhead_gib,
                usable_gib,
                kv_cache_tokens,
                context_tokens,
            });
        }
        let full_length_sequences = ((tokens_on_each / f64::from(context_tokens)).floor() * holders) as u64;
        Ok(Some(Room {
            split,
            parts_per_accelerator: self.possible.parts_per_accelerator,
            replicas_per_instance: self.parts / split.accelerators(),
            memory_gib: self.memory_gib,
            usable_gib,
            weights_gib,
            overhead_gib,
            kv_cache_gib,
            kv_cache_bytes_per_token: bytes_per_token,
            kv_cache_tokens: (tokens_on_each * holders) as u64,
            full_length_sequences,
            waiting_sequences: u64::from(self.demand.sequences).saturating_sub(full_length_sequences) as u32,
        }))
    }

    /// The smallest degree of at least `least` at which the model fits.
    pub(super) fn smallest_tensor_parallel(&self, least: u32) -> Option<u32> {
        let fits = |degree: &u32| *degree >= least && self.room(Split::tensor_parallel(*degree)).is_ok();
        self.possible.degrees.iter().copied().find(fits)
    }

    /// The largest degree that the accelerators and the heads allow.
    pub(super) fn largest_tensor_parallel(&self) -> u32 {
        let allowed = |degree: &u32| self.check_split(Split::tensor_parallel(*degree)).is_ok();
        self.possible.degrees.iter().copied().rfind(allowed).unwrap_or(1)
    }

    fn check_split(&self, split: Split) -> Result<(), Shortage> {
        let (needed, available) = (split.accelerators(), self.parts);
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
        let of_accelerator = match self.kind {
            AcceleratorKind::Neuron => NEURON_OVERHEAD_GIB,
            AcceleratorKind::Gpu | AcceleratorKind::Unknown => GPU_OVERHEAD_GIB,
        };
        of_accelerator / f64::from(self.possible.parts_per_accelerator.max(1))
    }

    /// The cache is split by heads; accelerators beyond their number hold copies.
    fn kv_bytes_on_each(&self, split: Split) -> Option<f64> {
        let share = match self.demand.kv_cache {
            KvCachePrecision::Bf16 => 1.0,
            KvCachePrecision::Fp8 => 0.5,
        };
        let parts = split.tensor_parallel.min(self.model.kv_heads.unwrap_or(u32::MAX)).max(1);
        self.kv_cache_bytes_per_token.map(|bytes| bytes * share / f64::from(parts))
    }
}

/// GiB that the weights take, all together.
#[must_use]
pub fn weights_gib(params_total_b: f64, quantization: Quantization) -> f64 {
    weights_bytes(params_total_b, quantization) / GIB
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
