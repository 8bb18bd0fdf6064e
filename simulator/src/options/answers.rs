//! What answers look like on the wire, and how long they are when the model may stop.

use clap::Args;

use super::{require, require_share};
use crate::Error;

/// Shape of the answers.
#[derive(Debug, Clone, Args)]
pub struct AnswerOptions {
    /// Mean length of an answer in tokens where the model may stop (no `ignore_eos`)
    #[arg(long, default_value_t = 200)]
    pub mean_output_tokens: u32,
    /// Tokens that are sent together in one chunk of a stream
    #[arg(long, default_value_t = 1)]
    pub tokens_per_chunk: u32,
    /// Share of tokens without text, as where a token ends within a character
    #[arg(long, default_value_t = 0.0)]
    pub empty_text_share: f64,
    /// Send the role chunk of a chat stream at once, not with the first token
    #[arg(long)]
    pub early_role: bool,
}

impl AnswerOptions {
    pub(super) fn validate(&self) -> Result<(), Error> {
        let at_least_one = |option, value| require(option, value, value >= 1, "it must be at least 1");
        at_least_one("--mean-output-tokens", self.mean_output_tokens)?;
        at_least_one("--tokens-per-chunk", self.tokens_per_chunk)?;
        require_share("--empty-text-share", self.empty_text_share)
    }
}
