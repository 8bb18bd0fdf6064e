//! The factors of the roofline, and what they came out as. [`super::calibration::calibrate`] finds them again from
//! `tests-data/serving-points.csv`; a test holds these constants against it.

use serde::{Deserialize, Serialize};

use super::{Estimated, Generation};

/// What the real thing is worse by than the data sheet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// Share of the memory bandwidth that is reached.
    pub memory_efficiency: f64,
    /// Share of a GPU's arithmetic rate that is reached.
    pub compute_efficiency: f64,
    /// The part of that which a mixture of experts reaches when it reads inputs.
    pub expert_prefill_share: f64,
    /// Share of a Neuron chip's arithmetic rate that is reached.
    pub neuron_compute_efficiency: f64,
    /// Overhead of a layer on a GPU, in microseconds.
    pub layer_us: f64,
    /// More of it where experts are chosen, in microseconds.
    pub expert_layer_us: f64,
    /// Overhead of a layer on a Neuron chip, in microseconds.
    pub neuron_layer_us: f64,
    /// An all-reduce over eight accelerators through NVLink, in microseconds.
    pub nvlink_reduce_us: f64,
    /// The same through PCIe.
    pub pcie_reduce_us: f64,
    /// The same through NeuronLink.
    pub neuron_link_reduce_us: f64,
    /// Overhead of a step in the engine, in microseconds.
    pub step_us: f64,
    /// Overhead of a layer for each input that is read, in microseconds: such steps are not captured in graphs.
    pub input_layer_us: f64,
    /// Speed of each of [`Generation::ALL`] against the others; near 1, because it is pooled.
    pub speed: [f64; 7],
}

/// Measured over estimated: a tenth of the measurements lay below `low` times the estimate, a tenth above `high` times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower factor.
    pub low: f64,
    /// Upper factor.
    pub high: f64,
}

/// The intervals of one kind of accelerator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of throughputs.
    pub throughput: Interval,
    /// Of the time to first token.
    pub ttft: Interval,
    /// Of the time per output token.
    pub tpot: Interval,
}

/// Factors with how far off they are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The factors.
    pub factors: Factors,
    /// How many measurements of each of [`Generation::ALL`] were used.
    pub measurements: [u32; 7],
    /// How far off GPUs were that had been left out.
    pub gpu: Intervals,
    /// How far off Neuron chips were that had been left out.
    pub neuron: Intervals,
}

impl Factors {
    /// The speed of a generation; 1 for an unknown one.
    #[must_use]
    pub fn speed_of(&self, generation: Generation) -> f64 {
        position(generation).map_or(1.0, |index| self.speed[index])
    }
}

impl Interval {
    /// The interval around an estimate.
    #[must_use]
    pub fn around(self, value: f64) -> Estimated {
        Estimated { value, low: value * self.low.min(1.0), high: value * self.high.max(1.0) }
    }

    /// The interval of the reciprocal.
    #[must_use]
    pub fn inverted(self) -> Self {
        Self { low: 1.0 / self.high, high: 1.0 / self.low }
    }
}

impl Calibration {
    /// The intervals for a generation.
    #[must_use]
    pub fn intervals(&self, generation: Generation) -> Intervals {
        if generation.is_neuron() { self.neuron } else { self.gpu }
    }

    /// Whether measurements of this generation were used.
    #[must_use]
    pub fn knows(&self, generation: Generation) -> bool {
        position(generation).is_some_and(|index| self.measurements[index] > 0)
    }
}

pub(super) fn position(generation: Generation) -> Option<usize> {
    Generation::ALL.iter().position(|it| *it == generation)
}
