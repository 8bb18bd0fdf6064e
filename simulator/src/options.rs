//! What the simulator can be told, as command-line arguments; tests build the same struct from its default.

use std::fmt::Display;

use clap::{Args, Parser, ValueEnum};

use crate::Error;

mod answers;
mod facts;
mod faults;
mod limits;
mod pace;

pub use answers::AnswerOptions;
pub use facts::{HardwareOptions, ModelOptions};
pub use faults::FaultOptions;
pub use limits::LimitOptions;
pub use pace::PaceOptions;

/// How the simulated engine takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Timing {
    /// Continuous batching on modelled hardware: time follows from load, model and accelerators.
    Roofline,
    /// Always the same times, whatever the load.
    Fixed,
    /// Times lognormal about a median, whatever the load.
    Lognormal,
}

/// Everything that the simulator can be told.
#[derive(Debug, Clone, Args)]
pub struct SimulatorOptions {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// Name under which the model is served
    #[arg(long, default_value = "simulated-model")]
    pub model: String,
    /// Key that requests to /v1 must bring, as `vllm serve --api-key` has it
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,
    /// How the engine takes its time
    #[arg(long, value_enum, default_value_t = Timing::Roofline)]
    pub timing: Timing,
    /// Seed of every random choice
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The modelled model.
    #[command(flatten)]
    pub model_facts: ModelOptions,
    /// The modelled accelerators.
    #[command(flatten)]
    pub hardware: HardwareOptions,
    /// The times of `fixed` and `lognormal`.
    #[command(flatten)]
    pub pace: PaceOptions,
    /// The engine's limits.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// What answers look like.
    #[command(flatten)]
    pub answers: AnswerOptions,
    /// What goes wrong.
    #[command(flatten)]
    pub faults: FaultOptions,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        #[derive(Parser)]
        struct Alone {
            #[command(flatten)]
            options: SimulatorOptions,
        }
        Alone::try_parse_from(["simulate"]).expect("every argument has a default or is optional").options
    }
}

impl SimulatorOptions {
    /// Checks every value by itself.
    ///
    /// # Errors
    /// [`Error::Option`] with the first argument that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        if self.model.trim().is_empty() {
            return Err(Error::option("--model", "it is empty; give the served name"));
        }
        self.model_facts.validate()?;
        self.hardware.validate()?;
        self.pace.validate()?;
        self.limits.validate()?;
        self.answers.validate()?;
        self.faults.validate()
    }
}

/// Refuses what is not a positive, finite number.
fn require_positive(option: &'static str, value: f64) -> Result<(), Error> {
    require(option, value, value.is_finite() && value > 0.0, "it must be above 0")
}

/// Refuses what is no share.
fn require_share(option: &'static str, value: f64) -> Result<(), Error> {
    require(option, value, (0.0..=1.0).contains(&value), "it must be between 0 and 1")
}

fn require(option: &'static str, value: impl Display, holds: bool, rule: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::option(option, &format!("it is {value}; {rule}"))) }
}

#[cfg(test)]
mod tests {
    use super::SimulatorOptions;

    #[test]
    fn the_defaults_are_valid() {
        SimulatorOptions::default().validate().unwrap();
    }

    #[test]
    fn values_out_of_range_are_named() {
        type Change = fn(&mut SimulatorOptions);
        let cases: [(&str, Change); 12] = [
            ("--model", |options| options.model = " ".to_owned()),
            ("--params-b", |options| options.model_facts.params_b = 0.0),
            ("--active-params-b", |options| {
                options.model_facts.active_params_b = Some(9.0);
            }),
            ("--kv-bytes-per-token", |options| {
                options.model_facts.kv_bytes_per_token = f64::NAN;
            }),
            ("--accelerators", |options| options.hardware.accelerators = 0),
            ("--sigma", |options| options.pace.sigma = -1.0),
            ("--ttft-ms", |options| options.pace.ttft_ms = f64::INFINITY),
            ("--max-num-seqs", |options| options.limits.max_num_seqs = 0),
            ("--max-num-batched-tokens", |options| {
                options.limits.max_num_batched_tokens = 1;
            }),
            ("--tokens-per-chunk", |options| options.answers.tokens_per_chunk = 0),
            ("--error-share", |options| options.faults.error_share = 1.5),
            ("--stall-ms", |options| options.faults.stall_ms = -1.0),
        ];
        for (option, change) in cases {
            let mut options = SimulatorOptions::default();
            change(&mut options);
            let message = options.validate().unwrap_err().to_string();
            assert!(message.starts_with(option), "{message}");
        }
    }

    #[test]
    fn faults_cannot_exceed_all_requests() {
        let mut options = SimulatorOptions::default();
        options.faults.error_share = 0.6;
        options.faults.abort_share = 0.5;
        assert!(options.validate().is_err());
    }
}
