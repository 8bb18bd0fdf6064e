//! How fast a model would be where nobody measured it: a roofline of weights, cache, arithmetic and overheads, with few
//! factors that were calibrated on published measurements. The outcome is an estimate with an interval, is to be called
//! so wherever it is shown, and is never stored as a result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fit::{KvCachePrecision, Misfit, MissingFact, ModelFacts, Split};
use crate::instance::InstanceType;
use crate::model::Quantization;

mod calibrated;
pub mod calibration;
mod factors;
mod machine;
mod roofline;

pub use calibrated::CALIBRATED;
pub use factors::{Calibration, Factors, Interval, Intervals};
pub use machine::{Generation, Link};
use roofline::Work;

/// How the model is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Serving {
    /// How the weights are stored.
    pub quantization: Quantization,
    /// How the key-value cache is stored.
    pub kv_cache: KvCachePrecision,
    /// How one replica is spread.
    pub split: Split,
    /// Replicas that share the load.
    pub replicas: u32,
    /// Mean input length, in tokens.
    pub input_tokens: f64,
    /// The part of the input that comes from the prefix cache, 0 to 1.
    pub cached_input_share: f64,
    /// Mean output length, in tokens.
    pub output_tokens: f64,
    /// Simultaneous requests over all replicas.
    pub concurrency: f64,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoEstimate {
    /// The model does not fit.
    #[error("{0}")]
    DoesNotFit(Misfit),
    /// A fact is missing.
    #[error("there is no estimate: {missing}")]
    Unknown {
        /// Which one.
        missing: MissingFact,
    },
    /// A length, share, concurrency or split is none.
    #[error(
        "there is no estimate for such lengths and loads; give an output of 1 token or more and a concurrency of 1 to 1000000"
    )]
    Odd,
}

/// An estimated number with the interval that held 8 of 10 measurements of configurations that were left out of the
/// calibration.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Estimated {
    /// The estimate.
    pub value: f64,
    /// One of ten measurements was lower than this.
    pub low: f64,
    /// One of ten measurements was higher than this.
    pub high: f64,
}

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimates {
    /// Output tokens per second of all requests together.
    pub output_tokens_per_s: Estimated,
    /// Requests per second.
    pub requests_per_s: Estimated,
    /// Time to first token, in milliseconds.
    pub ttft_ms: Estimated,
    /// Time per output token, in milliseconds, with the pauses in which other requests' inputs are read.
    pub tpot_ms: Estimated,
    /// Gap between tokens without such pauses, in milliseconds: the usual inter-token latency.
    pub itl_ms: Estimated,
    /// End-to-end latency, in milliseconds.
    pub e2e_ms: Estimated,
    /// Requests that one replica works on at once; what is beyond waits for room in the cache.
    pub running_sequences: f64,
    /// What a decode step spends most of its time on.
    pub bound: Bound,
    /// Whether measurements of this accelerator's generation were in the calibration.
    pub generation_calibrated: bool,
}

/// What a decode step spends most of its time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Reading weights and cache.
    MemoryBandwidth,
    /// Arithmetic.
    Compute,
    /// What each layer costs whatever the batch: launches and the talk between accelerators.
    Overhead,
}

/// Estimates how fast `model` is on `instance` when served so.
///
/// # Errors
/// [`NoEstimate`] when it does not fit, a fact is missing, or the numbers are odd.
pub fn predict(
    model: &ModelFacts,
    instance: &InstanceType,
    serving: &Serving,
) -> Result<Estimates, NoEstimate> {
    let work = Work::of(model, instance, serving)?;
    let estimates = estimate(&work, &CALIBRATED);
    if estimates.is_sane() { Ok(estimates) } else { Err(NoEstimate::Odd) }
}

fn estimate(work: &Work, calibration: &Calibration) -> Estimates {
    let times = work.times(&calibration.factors);
    let intervals = calibration.intervals(work.machine.generation);
    let milliseconds = |seconds: f64, interval: Interval| interval.around(seconds * 1e3);
    let requests_per_s = work.requests_per_s(&times);
    Estimates {
        output_tokens_per_s: intervals.throughput.around(requests_per_s * work.output_tokens),
        requests_per_s: intervals.throughput.around(requests_per_s),
        ttft_ms: milliseconds(work.ttft_s(&times), intervals.ttft),
        tpot_ms: milliseconds(work.tpot_s(&times), intervals.tpot),
        itl_ms: milliseconds(times.step_s(), intervals.tpot),
        e2e_ms: milliseconds(work.e2e_s(&times), intervals.throughput.inverted()),
        running_sequences: work.running,
        bound: times.bound(),
        generation_calibrated: calibration.knows(work.machine.generation),
    }
}

impl Estimates {
    fn is_sane(&self) -> bool {
        [self.output_tokens_per_s, self.requests_per_s, self.ttft_ms, self.tpot_ms, self.itl_ms, self.e2e_ms]
            .iter()
            .all(|it| it.low > 0.0 && it.low <= it.high && it.high.is_finite())
    }
}

#[cfg(test)]
mod tests;
