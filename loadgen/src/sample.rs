//! What is kept of one request: 16 bytes for each read that brought tokens, since a load point may hold millions.

use std::time::Duration;

use accelbench_core::load::ErrorClass;

/// One request that ended. Moments are counted from the load point's beginning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// Just before the request was written.
    pub(crate) sent_at: Duration,
    /// How it ended.
    pub(crate) outcome: Result<Answer, Failure>,
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The read that brought the last token or the finish reason.
    pub(crate) ended_at: Duration,
    /// The reads that brought tokens, in order; their tokens add up to `output_tokens`.
    pub(crate) arrivals: Vec<Arrival>,
    /// Whether each arrival's number of tokens is known and not spread.
    pub(crate) exact: bool,
    /// Tokens of the prompt, by the server.
    pub(crate) input_tokens: u64,
    /// Tokens of the answer, by the server.
    pub(crate) output_tokens: u64,
    /// Tokens that were asked for in and out, where a number was asked for.
    pub(crate) asked: Asked,
    /// What it says, where the next turn of a conversation needs it.
    pub(crate) text: Option<String>,
}

/// A chunk that brought tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    at_ns: u64,
    /// How many tokens it brought.
    pub(crate) tokens: u32,
}

/// The lengths that were asked for.
#[expect(clippy::struct_field_names, reason = "the unit belongs into each name")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) input_tokens: Option<u32>,
    pub(crate) output_tokens: u32,
    /// Tokens of the prompt that an engine with a prefix cache has met before.
    pub(crate) known_tokens: u32,
}

/// Why a request has no place in the latencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: ErrorClass,
    /// In words, for the sentence about the commonest error.
    pub(crate) message: String,
}

impl Answer {
    /// The read that brought the first token.
    pub(crate) fn first_token_at(&self) -> Duration {
        self.arrivals.first().map_or(self.ended_at, |arrival| arrival.at())
    }
}

impl Arrival {
    /// `tokens` tokens that came with the read that returned at `at`.
    pub(crate) fn new(at: Duration, tokens: u32) -> Self {
        Self { at_ns: at.as_nanos() as u64, tokens }
    }

    /// When the read that brought it returned.
    pub(crate) fn at(self) -> Duration {
        Duration::from_nanos(self.at_ns)
    }
}

impl Failure {
    /// A failure in plain words.
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}
