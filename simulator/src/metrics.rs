//! What `/metrics` shows, under vLLM's names.

use std::time::Duration;

use crate::engine::Gauges;

mod histogram;
mod text;

use histogram::Histogram;

/// Why a sequence ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The model stopped by itself.
    Stop,
    /// The asked length was reached.
    Length,
    /// The client went away.
    Abort,
    /// A fault was asked for.
    Error,
}

/// All counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) gauges: Gauges,
    prompt_tokens: u64,
    generation_tokens: u64,
    finished: [u64; Finish::ALL.len()],
    time_to_first_token: Histogram,
    inter_token_latency: Histogram,
    e2e_latency: Histogram,
}

/// One sequence's times on the way into the counters.
#[derive(Debug)]
pub(crate) struct Record {
    arrived: Duration,
    previous_token: Option<Duration>,
    prompt_tokens: u32,
    finish: Finish,
}

impl Finish {
    pub(crate) const ALL: [Self; 4] = [Self::Stop, Self::Length, Self::Abort, Self::Error];

    /// The word in answers and labels.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Abort => "abort",
            Self::Error => "error",
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            gauges: Gauges::default(),
            prompt_tokens: 0,
            generation_tokens: 0,
            finished: [0; Finish::ALL.len()],
            time_to_first_token: Histogram::new(&histogram::FIRST_TOKEN_BOUNDS_S),
            inter_token_latency: Histogram::new(&histogram::INTER_TOKEN_BOUNDS_S),
            e2e_latency: Histogram::new(&histogram::REQUEST_BOUNDS_S),
        }
    }
}

impl Metrics {
    /// Counts the end of a sequence.
    pub(crate) fn count(&mut self, finish: Finish) {
        self.finished[finish as usize] += 1;
    }
}

impl Record {
    pub(crate) fn new(arrived: Duration, prompt_tokens: u32, finish: Finish) -> Self {
        Self { arrived, previous_token: None, prompt_tokens, finish }
    }

    /// Counts a token that came into being `at`.
    pub(crate) fn token(&mut self, at: Duration, last: bool, metrics: &mut Metrics) {
        metrics.generation_tokens += 1;
        let since = |then: Duration| at.saturating_sub(then).as_secs_f64();
        if let Some(previous) = self.previous_token.replace(at) {
            metrics.inter_token_latency.observe(since(previous));
        } else {
            metrics.prompt_tokens += u64::from(self.prompt_tokens);
            metrics.time_to_first_token.observe(since(self.arrived));
        }
        if last {
            metrics.e2e_latency.observe(since(self.arrived));
            metrics.count(self.finish);
        }
    }
}
