//! The times of one decode step and of reading one input.
//!
//! A step reads the weights that its tokens touch and the cache of all running sequences, or computes, whichever takes
//! longer; each layer adds an overhead, and with tensor parallelism two all-reduces. While a request runs, its own input
//! and those of all others are read once, because each of them is replaced once in that time.

use super::machine::{Link, Machine};
use super::{Bound, Factors, NoEstimate, Serving};
use crate::fit::{Demand, Fit, MissingFact, ModelFacts, fit, weights_bytes};
use crate::instance::InstanceType;

/// Beyond this many accelerators an all-reduce takes no longer: the switch does it.
const MOST_REDUCE_STEPS: f64 = 3.0;

/// A mixture of experts uses less than this share of its parameters for a token.
const DENSE_SHARE: f64 = 0.95;

/// The share of time in reading inputs above which the queue before it is not reckoned any longer.
const MOST_PREFILL_LOAD: f64 = 0.95;

/// What one replica has to do, in numbers that do not depend on any factor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub(super) machine: Machine,
    /// Bytes of the weights on each accelerator.
    weights_on_each: f64,
    /// Share of the weights that one token uses.
    active_share: f64,
    /// Parameters that one token uses.
    active_params: f64,
    layers: f64,
    kv_bytes_on_each: f64,
    /// Over how many accelerators a layer's arithmetic is spread.
    accelerators: f64,
    tensor_parallel: f64,
    replicas: f64,
    input_tokens: f64,
    /// The input that is not in the prefix cache.
    fresh_tokens: f64,
    pub(super) output_tokens: f64,
    /// Requests per replica, and those of them that run at once.
    concurrency: f64,
    pub(super) running: f64,
}

/// Where the time goes, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Reading weights and cache in a step.
    memory: f64,
    /// Arithmetic of a step.
    compute: f64,
    /// What a step costs besides.
    overhead: f64,
    /// Reading one input.
    prefill: f64,
    /// From the start of a request's input to its last token.
    residence: f64,
}

impl Work {
    pub(super) fn of(
        model: &ModelFacts,
        instance: &InstanceType,
        serving: &Serving,
    ) -> Result<Self, NoEstimate> {
        if !serving.is_sensible() {
            return Err(NoEstimate::Odd);
        }
        let unknown = |missing| NoEstimate::Unknown { missing };
        let machine = Machine::of(instance, serving.quantization).map_err(unknown)?;
        let room = match fit(model, instance, &serving.demand(), serving.split) {
            Fit::Fits(room) => room,
            Fit::DoesNotFit(misfit) => return Err(NoEstimate::DoesNotFit(misfit)),
            Fit::Unknown { missing } => return Err(unknown(missing)),
        };
        let total_b = model.params_total_b.ok_or(unknown(MissingFact::Parameters))?;
        let active_b =
            model.params_active_b.filter(|active| *active > 0.0).map_or(total_b, |it| it.min(total_b));
        let layers = model.layers.filter(|layers| *layers > 0).ok_or(unknown(MissingFact::Layers))?;
        let accelerators = f64::from(serving.split.accelerators());
        let concurrency = (serving.concurrency / f64::from(serving.replicas)).max(1.0);
        let holders = accelerators / f64::from(serving.split.tensor_parallel);
        Ok(Self {
            machine,
            weights_on_each: weights_bytes(total_b, serving.quantization) / accelerators,
            active_share: active_b / total_b,
            active_params: active_b * 1e9,
            layers: f64::from(layers),
            kv_bytes_on_each: room.kv_cache_bytes_per_token / holders,
            accelerators,
            tensor_parallel: f64::from(serving.split.tensor_parallel),
            replicas: f64::from(serving.replicas).min(serving.concurrency.max(1.0)),
            input_tokens: serving.input_tokens,
            fresh_tokens: serving.input_tokens * (1.0 - serving.cached_input_share),
            output_tokens: serving.output_tokens,
            concurrency,
            running: concurrency.min(room.full_length_sequences.max(1) as f64),
        })
    }

    pub(super) fn times(&self, factors: &Factors) -> Times {
        let speed = factors.speed_of(self.machine.generation);
        let (neuron, experts) = (self.machine.generation.is_neuron(), self.active_share < DENSE_SHARE);
        let bytes_per_s = self.machine.bytes_per_s * factors.memory_efficiency * speed;
        let dense = if neuron { factors.neuron_compute_efficiency } else { factors.compute_efficiency };
        let reading = if experts { dense * factors.expert_prefill_share } else { dense };
        let flops_per_s = self.machine.flops_per_s * self.accelerators * speed;
        let context = self.input_tokens + self.output_tokens / 2.0;
        let memory =
            self.weights_on_each * self.touched_share() + self.running * context * self.kv_bytes_on_each;
        let exchange_s = self.exchanged_bytes_per_token() / self.machine.link.bytes_per_s();
        let memory_s = memory / bytes_per_s;
        let compute_s = 2.0 * self.active_params * self.running / (flops_per_s * dense);
        let layer_us = if neuron { factors.neuron_layer_us } else { factors.layer_us };
        let expert_us = if experts { factors.expert_layer_us } else { 0.0 };
        let each_us = layer_us + expert_us + 2.0 * self.reduce_us(factors);
        let overhead_s = (self.layers * each_us + factors.step_us) * 1e-6 + self.running * exchange_s;
        let input_us = if self.fresh_tokens > 0.0 { self.layers * factors.input_layer_us } else { 0.0 };
        let prefill_s =
            self.prefill_flops() / (flops_per_s * reading) + self.fresh_tokens * exchange_s + input_us * 1e-6;
        let residence_s =
            self.output_tokens * (memory_s.max(compute_s) + overhead_s) + self.running * prefill_s;
        Times {
            memory: memory_s,
            compute: compute_s,
            overhead: overhead_s,
            prefill: prefill_s,
            residence: residence_s,
        }
    }

    /// The share of the weights that a step reads: with experts chosen at random, 1 - (1 - active share) ^ tokens.
    fn touched_share(&self) -> f64 {
        if self.active_share < DENSE_SHARE { 1.0 - (1.0 - self.active_share).powf(self.running) } else { 1.0 }
    }

    /// Two operations for each parameter and token, and causal attention over the input.
    fn prefill_flops(&self) -> f64 {
        let attention = 2.0 * self.fresh_tokens * self.fresh_tokens * self.hidden_size() * self.layers;
        2.0 * self.active_params * self.fresh_tokens + attention
    }

    /// A layer has about 12 times the square of the hidden size in parameters.
    fn hidden_size(&self) -> f64 {
        (self.active_params / 12.0 / self.layers).sqrt()
    }

    /// Two all-reduces a layer of 16-bit activations, each of which sends about one and a half times its size.
    fn exchanged_bytes_per_token(&self) -> f64 {
        if self.accelerators > 1.0 { 2.0 * 2.0 * 1.5 * self.hidden_size() * self.layers } else { 0.0 }
    }

    fn reduce_us(&self, factors: &Factors) -> f64 {
        let each = match self.machine.link {
            Link::NvLink => factors.nvlink_reduce_us,
            Link::Pcie => factors.pcie_reduce_us,
            Link::NeuronLink => factors.neuron_link_reduce_us,
        };
        let spread = self.accelerators.max(self.tensor_parallel);
        each * spread.log2().min(MOST_REDUCE_STEPS) / MOST_REDUCE_STEPS
    }

    pub(super) fn requests_per_s(&self, times: &Times) -> f64 {
        self.replicas * self.running / times.residence
    }

    /// Waiting for room, waiting behind other inputs (as in an M/D/1 queue), reading the input, and one step.
    pub(super) fn ttft_s(&self, times: &Times) -> f64 {
        let load = (self.running * times.prefill / times.residence).min(MOST_PREFILL_LOAD);
        let behind = load / (2.0 * (1.0 - load)) * times.prefill;
        self.waiting_s(times) + behind.min(self.running * times.prefill) + times.prefill + times.step_s()
    }

    pub(super) fn tpot_s(&self, times: &Times) -> f64 {
        let decoding_s = times.residence + self.waiting_s(times) - self.ttft_s(times);
        (decoding_s / (self.output_tokens - 1.0).max(1.0)).max(times.step_s())
    }

    pub(super) fn e2e_s(&self, times: &Times) -> f64 {
        times.residence + self.waiting_s(times)
    }

    fn waiting_s(&self, times: &Times) -> f64 {
        (self.concurrency / self.running - 1.0) * times.residence
    }
}

impl Times {
    /// One decode step.
    pub(super) fn step_s(&self) -> f64 {
        self.memory.max(self.compute) + self.overhead
    }

    pub(super) fn bound(&self) -> Bound {
        if self.overhead > self.memory.max(self.compute) {
            Bound::Overhead
        } else if self.compute > self.memory {
            Bound::Compute
        } else {
            Bound::MemoryBandwidth
        }
    }
}

impl Serving {
    fn is_sensible(&self) -> bool {
        let lengths = [self.input_tokens, self.output_tokens];
        lengths.iter().all(|tokens| (0.0..1e8).contains(tokens))
            && self.output_tokens >= 1.0
            && (0.0..=1.0).contains(&self.cached_input_share)
            && (1.0..=1e6).contains(&self.concurrency)
            && self.replicas > 0
            && self.split.tensor_parallel > 0
    }

    fn demand(&self) -> Demand {
        Demand {
            quantization: self.quantization,
            kv_cache: self.kv_cache,
            context_tokens: (self.input_tokens + self.output_tokens).ceil() as u32,
            sequences: (self.concurrency / f64::from(self.replicas)).ceil() as u32,
        }
    }
}
