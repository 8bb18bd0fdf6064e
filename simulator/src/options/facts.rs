//! Facts of the modelled model and accelerators. The defaults are Llama 3.1 8B in 16 bits on one H100.

use clap::Args;

use super::{require, require_positive};
use crate::Error;
use crate::engine::{BLOCK_TOKENS, Interconnect, Roofline};

/// Share of the accelerators' memory that the engine takes, as vLLM's `--gpu-memory-utilization`.
const MEMORY_SHARE: f64 = 0.9;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// Longest context where nothing else is said.
const DEFAULT_MAX_CONTEXT: u64 = 131_072;

/// Facts of the model.
#[derive(Debug, Clone, Args)]
pub struct ModelOptions {
    /// All parameters, in billions
    #[arg(long, default_value_t = 8.03)]
    pub params_b: f64,
    /// Parameters used for one token, in billions [default: all]
    #[arg(long)]
    pub active_params_b: Option<f64>,
    /// Decoder layers
    #[arg(long, default_value_t = 32)]
    pub layers: u32,
    /// Bytes of key-value cache for one token
    #[arg(long, default_value_t = 131_072.0)]
    pub kv_bytes_per_token: f64,
    /// Bytes of one stored parameter: 2 for 16 bits, 1 for 8, 0.5 for 4
    #[arg(long, default_value_t = 2.0)]
    pub weight_bytes: f64,
    /// Longest context in tokens [default: 131072, or what fits]
    #[arg(long)]
    pub max_context: Option<u32>,
}

/// Facts of the accelerators.
#[derive(Debug, Clone, Args)]
pub struct HardwareOptions {
    /// Memory bandwidth of one accelerator, in GB/s
    #[arg(long, default_value_t = 3350.0)]
    pub accelerator_bandwidth_gb_s: f64,
    /// Dense 16-bit rate of one accelerator, in TFLOP/s
    #[arg(long, default_value_t = 989.0)]
    pub accelerator_tflops: f64,
    /// Memory of one accelerator, in GiB
    #[arg(long, default_value_t = 80.0)]
    pub accelerator_memory_gib: f64,
    /// Accelerators that hold the model together (degree of tensor parallelism)
    #[arg(long, default_value_t = 1)]
    pub accelerators: u32,
    /// How the accelerators are connected
    #[arg(long, value_enum, default_value_t = Interconnect::Nvlink)]
    pub interconnect: Interconnect,
}

/// How the model lies in the accelerators' memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(crate) kv_blocks: u64,
    pub(crate) max_context: u32,
}

impl ModelOptions {
    pub(super) fn validate(&self) -> Result<(), Error> {
        require_positive("--params-b", self.params_b)?;
        let active = self.active_params_b();
        require_positive("--active-params-b", active)?;
        require("--active-params-b", active, active <= self.params_b, "it must not exceed --params-b")?;
        require("--layers", self.layers, self.layers >= 1, "it must be at least 1")?;
        require_positive("--kv-bytes-per-token", self.kv_bytes_per_token)?;
        require_positive("--weight-bytes", self.weight_bytes)?;
        require(
            "--max-context",
            self.max_context.unwrap_or_default(),
            self.max_context != Some(0),
            "it must be at least 1",
        )
    }

    /// The longest context where no memory limits it.
    pub(crate) fn unlimited_max_context(&self) -> u32 {
        self.max_context.unwrap_or(DEFAULT_MAX_CONTEXT as u32)
    }

    fn active_params_b(&self) -> f64 {
        self.active_params_b.unwrap_or(self.params_b)
    }

    fn total_weight_bytes(&self) -> f64 {
        self.params_b * 1e9 * self.weight_bytes
    }
}

impl HardwareOptions {
    pub(super) fn validate(&self) -> Result<(), Error> {
        require_positive("--accelerator-bandwidth-gb-s", self.accelerator_bandwidth_gb_s)?;
        require_positive("--accelerator-tflops", self.accelerator_tflops)?;
        require_positive("--accelerator-memory-gib", self.accelerator_memory_gib)?;
        require("--accelerators", self.accelerators, self.accelerators >= 1, "it must be at least 1")
    }

    /// Lays the model into the memory.
    ///
    /// # Errors
    /// [`Error::WeightsDoNotFit`], or [`Error::ContextDoesNotFit`] when a longest context was asked for that the
    /// remaining memory cannot hold even once, which real engines refuse to start with, too.
    pub(crate) fn fit(&self, model: &ModelOptions) -> Result<Fit, Error> {
        let held = self.accelerator_memory_gib * f64::from(self.accelerators);
        let weights = model.total_weight_bytes();
        let kv_bytes = held * GIB * MEMORY_SHARE - weights;
        let kv_blocks = (kv_bytes.max(0.0) / (model.kv_bytes_per_token * BLOCK_TOKENS as f64)) as u64;
        if kv_blocks == 0 {
            return Err(Error::WeightsDoNotFit {
                needed_gib: weights / GIB,
                held_gib: held,
                usable_gib: held * MEMORY_SHARE,
            });
        }
        let tokens = kv_blocks.saturating_mul(BLOCK_TOKENS);
        let max_context = match model.max_context {
            Some(asked) if u64::from(asked) > tokens => {
                return Err(Error::ContextDoesNotFit { asked_tokens: asked, held_tokens: tokens });
            }
            Some(asked) => asked,
            None => tokens.min(DEFAULT_MAX_CONTEXT) as u32,
        };
        Ok(Fit { kv_blocks, max_context })
    }

    pub(crate) fn roofline(&self, model: &ModelOptions) -> Roofline {
        let accelerators = f64::from(self.accelerators);
        Roofline {
            params: model.params_b * 1e9,
            active_params: model.active_params_b() * 1e9,
            layers: f64::from(model.layers),
            weight_bytes: model.total_weight_bytes(),
            kv_bytes_per_token: model.kv_bytes_per_token,
            bandwidth_bytes_per_s: accelerators * self.accelerator_bandwidth_gb_s * 1e9,
            flops_per_s: accelerators * self.accelerator_tflops * 1e12,
            accelerators,
            interconnect: self.interconnect,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Error, SimulatorOptions};

    fn fit(change: impl FnOnce(&mut SimulatorOptions)) -> Result<super::Fit, Error> {
        let mut options = SimulatorOptions::default();
        change(&mut options);
        options.hardware.fit(&options.model_facts)
    }

    #[test]
    fn what_the_weights_leave_is_cache() {
        let fit = fit(|_| ()).unwrap();
        // 80 GiB x 0.9 - 14.96 GiB = 57.04 GiB at 2 MiB a block.
        assert_eq!((fit.kv_blocks, fit.max_context), (29_205, 131_072));
    }

    #[test]
    fn the_longest_context_shrinks_to_what_fits_unless_it_was_asked_for() {
        let small = |options: &mut SimulatorOptions| options.hardware.accelerator_memory_gib = 22.352;
        assert_eq!(fit(small).unwrap().max_context, 42_256);
        let refused = fit(|options| {
            small(options);
            options.model_facts.max_context = Some(131_072);
        });
        assert!(matches!(refused, Err(Error::ContextDoesNotFit { held_tokens: 42_256, .. })));
    }

    #[test]
    fn weights_that_do_not_fit_are_refused_in_words() {
        let error = fit(|options| options.model_facts.params_b = 70.6).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model needs 131.5 GiB for its weights, the accelerators hold 80.0 GiB, of which 72.0 GiB are usable; \
             use more or larger accelerators, or a stronger quantisation"
        );
        assert!(
            fit(|options| {
                options.model_facts.params_b = 70.6;
                options.hardware.accelerators = 4;
            })
            .is_ok()
        );
    }
}
