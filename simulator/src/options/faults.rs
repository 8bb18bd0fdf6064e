//! What goes wrong on purpose. Each request draws at most one fault, by the seed and its number.

use clap::Args;

use super::{require, require_share};
use crate::Error;

const DAY_S: f64 = 86_400.0;

/// Faults.
#[derive(Debug, Clone, Args)]
pub struct FaultOptions {
    /// Share of requests answered with HTTP 500
    #[arg(long, default_value_t = 0.0)]
    pub error_share: f64,
    /// Share of requests whose connection is cut in the middle of the answer
    #[arg(long, default_value_t = 0.0)]
    pub abort_share: f64,
    /// Share of requests whose stream ends early in an error event and `[DONE]`, after HTTP 200
    #[arg(long, default_value_t = 0.0)]
    pub error_event_share: f64,
    /// Share of requests that stall once for --stall-ms; what came due meanwhile follows in a burst
    #[arg(long, default_value_t = 0.0)]
    pub stall_share: f64,
    /// Length of a stall, in ms
    #[arg(long, default_value_t = 5000.0)]
    pub stall_ms: f64,
    /// Slow start: answer 503 for so long, in ms
    #[arg(long, default_value_t = 0)]
    pub start_delay_ms: u64,
    /// Die after so many seconds, cutting every stream
    #[arg(long)]
    pub exit_after_s: Option<f64>,
}

impl FaultOptions {
    pub(super) fn validate(&self) -> Result<(), Error> {
        let shares = [
            ("--error-share", self.error_share),
            ("--abort-share", self.abort_share),
            ("--error-event-share", self.error_event_share),
            ("--stall-share", self.stall_share),
        ];
        for (option, share) in shares {
            require_share(option, share)?;
        }
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        require(
            "--error-share",
            self.error_share,
            sum <= 1.0 + 1e-9,
            "together with the other fault shares it must not exceed 1",
        )?;
        let below_a_day = |option, value: f64, day: f64| {
            require(option, value, (0.0..=day).contains(&value), "it must be between 0 and a day")
        };
        below_a_day("--stall-ms", self.stall_ms, DAY_S * 1e3)?;
        below_a_day("--exit-after-s", self.exit_after_s.unwrap_or_default(), DAY_S)
    }
}
