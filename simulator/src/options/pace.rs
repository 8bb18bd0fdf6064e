//! Times of the modes that do not depend on load.

use std::time::Duration;

use clap::Args;

use super::{SimulatorOptions, Timing, require};
use crate::Error;
use crate::engine::{Paced, Spread};

const HOUR_MS: f64 = 3_600_000.0;

/// Times of `fixed`, medians of `lognormal`.
#[derive(Debug, Clone, Args)]
pub struct PaceOptions {
    /// Time to the first token, in ms, with --timing fixed or lognormal
    #[arg(long, default_value_t = 50.0)]
    pub ttft_ms: f64,
    /// Time between tokens, in ms, with --timing fixed or lognormal
    #[arg(long, default_value_t = 10.0)]
    pub itl_ms: f64,
    /// Standard deviation of the logarithm of the times, with --timing lognormal
    #[arg(long, default_value_t = 0.25)]
    pub sigma: f64,
}

impl PaceOptions {
    pub(super) fn validate(&self) -> Result<(), Error> {
        for (option, value) in [("--ttft-ms", self.ttft_ms), ("--itl-ms", self.itl_ms)] {
            require(option, value, (0.0..=HOUR_MS).contains(&value), "it must be between 0 and 3600000")?;
        }
        require("--sigma", self.sigma, (0.0..=5.0).contains(&self.sigma), "it must be between 0 and 5")
    }
}

impl SimulatorOptions {
    /// The engine of the modes that do not depend on load.
    pub(crate) fn paced_engine(&self) -> Paced {
        let spread = match self.timing {
            Timing::Lognormal => Spread::Lognormal { sigma: self.pace.sigma, seed: self.seed },
            Timing::Fixed | Timing::Roofline => Spread::Fixed,
        };
        let duration = |milliseconds: f64| Duration::from_secs_f64(milliseconds / 1e3);
        Paced::new(duration(self.pace.ttft_ms), duration(self.pace.itl_ms), spread)
    }
}
