//! How much load is offered at one load point.

use std::fmt;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much load is offered at one load point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferedLoad {
    /// Closed loop: exactly this many requests are in flight all the time.
    Concurrency(NonZeroU32),
    /// Open loop: requests arrive whatever became of the earlier ones.
    RequestRate(RequestRate),
    /// Open loop: requests arrive as in the dataset, which is a trace.
    Trace(TraceReplay),
}

/// A trace that is played again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceReplay {
    /// How much faster than it was: 1 is as it was.
    pub speed: f64,
}

/// Requests that arrive on their own account.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestRate {
    /// Requests per second on average.
    pub per_s: f64,
    /// How the gaps between them are distributed.
    #[serde(default)]
    pub arrivals: Arrivals,
}

/// How the gaps between arrivals are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// All gaps are equal.
    Constant,
    /// Exponential gaps: many independent people.
    #[default]
    Poisson,
    /// Gamma distributed gaps.
    Gamma {
        /// The distribution's shape, as in vLLM: 1 is Poisson, less is burstier, more is steadier.
        burstiness: f64,
    },
}

impl OfferedLoad {
    /// Simultaneous requests, or requests per second, for sorting.
    #[must_use]
    pub fn amount(self) -> f64 {
        match self {
            Self::Concurrency(requests) => f64::from(requests.get()),
            Self::RequestRate(rate) => rate.per_s,
            Self::Trace(replay) => replay.speed,
        }
    }

    /// The number of simultaneous requests of a closed loop.
    #[must_use]
    pub fn concurrency(self) -> Option<u32> {
        match self {
            Self::Concurrency(requests) => Some(requests.get()),
            Self::RequestRate(_) | Self::Trace(_) => None,
        }
    }

    /// The requests per second of an open loop, and how they arrive.
    #[must_use]
    pub fn request_rate(self) -> Option<RequestRate> {
        match self {
            Self::RequestRate(rate) => Some(rate),
            Self::Concurrency(_) | Self::Trace(_) => None,
        }
    }

    /// How much faster than it was a trace is played.
    #[must_use]
    pub fn trace_speed(self) -> Option<f64> {
        match self {
            Self::Trace(replay) => Some(replay.speed),
            Self::Concurrency(_) | Self::RequestRate(_) => None,
        }
    }

    /// Whether requests arrive whatever became of the earlier ones.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.concurrency().is_none()
    }
}

impl Arrivals {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
            Self::Gamma { .. } => "gamma",
        }
    }

    /// The burstiness of gamma distributed gaps.
    #[must_use]
    pub fn burstiness(self) -> Option<f64> {
        match self {
            Self::Gamma { burstiness } => Some(burstiness),
            Self::Constant | Self::Poisson => None,
        }
    }
}

impl fmt::Display for OfferedLoad {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency(requests) => write!(formatter, "concurrency {requests}"),
            Self::RequestRate(rate) => rate.fmt(formatter),
            Self::Trace(replay) => write!(formatter, "trace at speed {}", replay.speed),
        }
    }
}

impl fmt::Display for RequestRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} requests/s {}", self.per_s, self.arrivals.as_str())?;
        self.arrivals.burstiness().map_or(Ok(()), |burstiness| write!(formatter, " {burstiness}"))
    }
}
