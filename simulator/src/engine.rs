//! The engine model, in virtual time: no clock, no thread, no socket. The caller says what time it is and is told which
//! tokens exist by then, so that hours of load can be played in a test within milliseconds.

use std::time::Duration;

mod batching;
mod kv_cache;
mod paced;
#[cfg(test)]
mod published;
mod roofline;

pub(crate) use batching::{Batching, Limits};
pub(crate) use kv_cache::{BLOCK_TOKENS, KvCache};
pub(crate) use paced::{Paced, Spread};
pub use roofline::Interconnect;
pub(crate) use roofline::Roofline;

/// A request as the engine sees it: only lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) id: u64,
    pub(crate) prompt_tokens: u32,
    /// How many tokens the model will say, at least 1.
    pub(crate) output_tokens: u32,
}

/// A token that came into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emission {
    pub(crate) id: u64,
    pub(crate) at: Duration,
    /// Whether it is the sequence's last.
    pub(crate) last: bool,
}

/// What `/metrics` shows of the engine's state.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Gauges {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    /// Share of the key-value cache in use, 0 to 1.
    pub(crate) kv_usage: f64,
    pub(crate) preemptions: u64,
}

/// Either kind of engine.
#[derive(Debug)]
pub(crate) enum Engine {
    Batching(Batching),
    Paced(Paced),
}

impl Engine {
    pub(crate) fn submit(&mut self, now: Duration, sequence: Sequence) {
        match self {
            Self::Batching(engine) => engine.submit(now, sequence),
            Self::Paced(engine) => engine.submit(now, sequence),
        }
    }

    /// Forgets a sequence whose client went away; unknown ids are ignored.
    pub(crate) fn abort(&mut self, id: u64) {
        match self {
            Self::Batching(engine) => engine.abort(id),
            Self::Paced(engine) => engine.abort(id),
        }
    }

    /// When something happens next; `None` when idle.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        match self {
            Self::Batching(engine) => engine.next_event(),
            Self::Paced(engine) => engine.next_event(),
        }
    }

    /// The tokens that came into being up to and including `now`.
    pub(crate) fn advance(&mut self, now: Duration) -> Vec<Emission> {
        match self {
            Self::Batching(engine) => engine.advance(now),
            Self::Paced(engine) => engine.advance(now),
        }
    }

    pub(crate) fn gauges(&self) -> Gauges {
        match self {
            Self::Batching(engine) => engine.gauges(),
            Self::Paced(engine) => engine.gauges(),
        }
    }
}
