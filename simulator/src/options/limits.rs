//! Limits of the simulated engine, named as vLLM names them.

use clap::Args;

use super::require;
use crate::Error;

/// Limits of the engine.
#[derive(Debug, Clone, Args)]
pub struct LimitOptions {
    /// Most sequences in a step
    #[arg(long, default_value_t = 256)]
    pub max_num_seqs: u32,
    /// Most tokens computed in a step, prefill and decode together
    #[arg(long, default_value_t = 8192)]
    pub max_num_batched_tokens: u32,
}

impl LimitOptions {
    pub(super) fn validate(&self) -> Result<(), Error> {
        require("--max-num-seqs", self.max_num_seqs, self.max_num_seqs >= 1, "it must be at least 1")?;
        require(
            "--max-num-batched-tokens",
            self.max_num_batched_tokens,
            self.max_num_batched_tokens >= self.max_num_seqs,
            "it must be at least --max-num-seqs, so that every sequence gets its token",
        )
    }
}
