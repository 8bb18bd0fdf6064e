//! How long one step of the engine takes: the slower of moving bytes and computing, plus what neither explains.
//!
//! The efficiencies are what vLLM reaches of the data sheet's peak: decode kernels move weights at 75 to 85 % of the
//! memory bandwidth, large matrix products run at 50 to 60 % of the dense 16-bit rate. The fixed parts (launching,
//! scheduling, sampling, all-reduces) are chosen so that published latencies come out; see `published.rs`.

use std::time::Duration;

/// Reached share of the memory bandwidth.
const BANDWIDTH_EFFICIENCY: f64 = 0.8;
/// Reached share of the peak rate.
const COMPUTE_EFFICIENCY: f64 = 0.55;
/// Scheduling and launching of a step, in seconds.
const STEP_OVERHEAD_S: f64 = 0.5e-3;
/// Sampling, detokenising and streaming of one sequence, in seconds a step.
const SEQUENCE_OVERHEAD_S: f64 = 40e-6;
/// All-reduces in a layer: one after attention, one after the feed-forward part.
const ALL_REDUCES_PER_LAYER: f64 = 2.0;

/// How the accelerators of one engine are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Interconnect {
    /// A switched fabric such as `NVLink` or `NeuronLink`.
    Nvlink,
    /// PCI Express through the host.
    Pcie,
}

/// The facts that decide the time of a step; sums are over all accelerators.
#[derive(Debug, Clone)]
pub(crate) struct Roofline {
    pub(crate) params: f64,
    pub(crate) active_params: f64,
    pub(crate) layers: f64,
    pub(crate) weight_bytes: f64,
    pub(crate) kv_bytes_per_token: f64,
    pub(crate) bandwidth_bytes_per_s: f64,
    pub(crate) flops_per_s: f64,
    pub(crate) accelerators: f64,
    pub(crate) interconnect: Interconnect,
}

/// The work of one step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct StepWork {
    /// Sequences that take part.
    pub(crate) sequences: usize,
    /// Tokens computed, prefill and decode together.
    pub(crate) tokens: u64,
    /// Tokens whose keys and values are read: the context of each sequence, once.
    pub(crate) context_tokens: u64,
    /// Sum over the computed tokens of the length that each attends to.
    pub(crate) attended_tokens: f64,
}

impl StepWork {
    /// Adds `tokens` new tokens of a sequence of which `computed` are in the cache.
    pub(crate) fn add(&mut self, computed: u64, tokens: u64) {
        self.sequences += 1;
        self.tokens += tokens;
        self.context_tokens += computed + tokens;
        self.attended_tokens += tokens as f64 * (computed as f64 + tokens as f64 / 2.0);
    }
}

impl Roofline {
    /// The time that the step takes.
    pub(crate) fn step_time(&self, work: &StepWork) -> Duration {
        let seconds = self.memory_s(work).max(self.compute_s(work))
            + self.all_reduce_s(work)
            + STEP_OVERHEAD_S
            + SEQUENCE_OVERHEAD_S * work.sequences as f64;
        Duration::from_secs_f64(seconds)
    }

    fn memory_s(&self, work: &StepWork) -> f64 {
        let bytes =
            self.weight_bytes_read(work.tokens) + work.context_tokens as f64 * self.kv_bytes_per_token;
        bytes / (self.bandwidth_bytes_per_s * BANDWIDTH_EFFICIENCY)
    }

    fn compute_s(&self, work: &StepWork) -> f64 {
        let linear = 2.0 * self.active_params * work.tokens as f64;
        let attention = 4.0 * self.layers * self.hidden_size() * work.attended_tokens;
        (linear + attention) / (self.flops_per_s * COMPUTE_EFFICIENCY)
    }

    /// A token of a mixture of experts picks the share `active / all` of the weights; tokens pick independently, so
    /// that many tokens together read nearly all. A dense model always reads all.
    fn weight_bytes_read(&self, tokens: u64) -> f64 {
        let share = (self.active_params / self.params).min(1.0);
        self.weight_bytes * (1.0 - (1.0 - share).powf(tokens as f64))
    }

    /// Tensor parallelism: a ring all-reduce of the activations, with the latency of a small one as its floor.
    fn all_reduce_s(&self, work: &StepWork) -> f64 {
        if self.accelerators < 2.0 {
            return 0.0;
        }
        let (latency_s, bytes_per_s) = match self.interconnect {
            Interconnect::Nvlink => (12e-6, 300e9),
            Interconnect::Pcie => (50e-6, 10e9),
        };
        let ring = 2.0 * (self.accelerators - 1.0) / self.accelerators;
        let bytes = ring * work.tokens as f64 * self.hidden_size() * 2.0;
        ALL_REDUCES_PER_LAYER * self.layers * (latency_s + bytes / bytes_per_s)
    }

    /// A transformer layer has about 12 x hidden^2 parameters, so the size follows from facts that are known.
    fn hidden_size(&self) -> f64 {
        (self.active_params / (12.0 * self.layers)).sqrt()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Interconnect, Roofline, StepWork};

    /// Llama 3 8B on one H100 of the SXM form.
    pub(crate) fn llama_8b_on_h100() -> Roofline {
        Roofline {
            params: 8.03e9,
            active_params: 8.03e9,
            layers: 32.0,
            weight_bytes: 16.06e9,
            kv_bytes_per_token: 131_072.0,
            bandwidth_bytes_per_s: 3350e9,
            flops_per_s: 989e12,
            accelerators: 1.0,
            interconnect: Interconnect::Nvlink,
        }
    }

    fn decode(roofline: &Roofline, sequences: usize, context: u64) -> f64 {
        let mut work = StepWork::default();
        for _ in 0..sequences {
            work.add(context, 1);
        }
        roofline.step_time(&work).as_secs_f64()
    }

    #[test]
    fn decode_is_bound_by_memory_and_prefill_by_compute() {
        let roofline = llama_8b_on_h100();
        let mut prefill = StepWork::default();
        prefill.add(0, 8192);
        assert!(roofline.compute_s(&prefill) > 5.0 * roofline.memory_s(&prefill));
        let mut one = StepWork::default();
        one.add(500, 1);
        assert!(roofline.memory_s(&one) > 50.0 * roofline.compute_s(&one));
    }

    #[test]
    fn longer_contexts_and_larger_batches_cost_more() {
        let roofline = llama_8b_on_h100();
        assert!(decode(&roofline, 1, 32_000) > decode(&roofline, 1, 100));
        let (one, many) = (decode(&roofline, 1, 500), decode(&roofline, 64, 500));
        assert!(many > one && many < 3.0 * one, "{one} {many}");
    }

    #[test]
    fn a_mixture_of_experts_reads_more_weights_the_more_tokens_it_has() {
        let moe = Roofline { params: 30e9, active_params: 3e9, weight_bytes: 60e9, ..llama_8b_on_h100() };
        assert!((moe.weight_bytes_read(1) - 6e9).abs() < 1e3);
        assert!(moe.weight_bytes_read(8) > 30e9);
        assert!(moe.weight_bytes_read(1000) <= 60e9);
        let dense = llama_8b_on_h100();
        assert!((dense.weight_bytes_read(1) - 16.06e9).abs() < 1e3);
    }

    #[test]
    fn tensor_parallelism_divides_the_work_and_adds_its_own_cost() {
        let one = llama_8b_on_h100();
        let four = Roofline {
            bandwidth_bytes_per_s: 4.0 * one.bandwidth_bytes_per_s,
            flops_per_s: 4.0 * one.flops_per_s,
            accelerators: 4.0,
            ..one.clone()
        };
        let slow_link = Roofline { interconnect: Interconnect::Pcie, ..four.clone() };
        let (single, nvlink, pcie) =
            (decode(&one, 8, 500), decode(&four, 8, 500), decode(&slow_link, 8, 500));
        assert!(nvlink < single && nvlink > single / 4.0 && pcie > nvlink, "{single} {nvlink} {pcie}");
    }
}
