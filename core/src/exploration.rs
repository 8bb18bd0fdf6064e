//! Load curves that build themselves: which load to measure next, given what was measured so far. Pure, so that a model
//! of an engine can test it in no time.

use std::fmt;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::{Arrivals, LoadReport, OfferedLoad, RequestRate};
use crate::slo::Slo;

mod search;
mod sweep;

/// How load points are found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Exploration {
    /// The whole curve: from one stream to saturation, then where it bends.
    Sweep {
        /// Most simultaneous requests.
        max_concurrency: NonZeroU32,
        /// Most load points.
        max_load_points: u32,
    },
    /// The highest load that keeps an SLO.
    Search {
        /// What is raised.
        over: Axis,
        /// Most simultaneous requests or requests per second.
        max: f64,
        /// Most load points.
        max_load_points: u32,
    },
}

/// What a search raises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Axis {
    /// Simultaneous requests of a closed loop.
    Concurrency,
    /// Requests per second of an open loop.
    RequestRate {
        /// How they arrive.
        arrivals: Arrivals,
    },
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Measure this load.
    Measure(OfferedLoad),
    /// Nothing more.
    Done(Conclusion),
}

/// What an exploration found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conclusion {
    /// What was found, as a sentence.
    pub sentence: String,
    /// The smallest load that nearly reaches the highest throughput, or the highest that keeps the SLO.
    pub load: Option<OfferedLoad>,
}

impl Exploration {
    /// The next step after the load points that were `measured` so far, in the order in which they were. A search
    /// without an SLO is done at once.
    #[must_use]
    pub fn next(&self, slo: Option<&Slo>, measured: &[LoadReport]) -> Step {
        match (*self, slo) {
            (Self::Sweep { max_concurrency, max_load_points }, _) => {
                sweep::next(max_concurrency, max_load_points as usize, measured)
            }
            (Self::Search { over, max, max_load_points }, Some(slo)) => {
                search::next(over, max, max_load_points as usize, slo, measured)
            }
            (Self::Search { .. }, None) => {
                Step::Done(Conclusion { sentence: "there is no SLO to search for".to_owned(), load: None })
            }
        }
    }

    /// The load that it begins with: all others are of its kind.
    #[must_use]
    pub fn first_load(&self) -> OfferedLoad {
        match *self {
            Self::Sweep { .. } => concurrency(1),
            Self::Search { over, max, .. } => over.load(max.min(1.0)),
        }
    }

    /// The most load points that it measures.
    #[must_use]
    pub fn max_load_points(&self) -> u32 {
        match self {
            Self::Sweep { max_load_points, .. } | Self::Search { max_load_points, .. } => *max_load_points,
        }
    }
}

impl fmt::Display for Exploration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sweep { max_concurrency, max_load_points } => {
                write!(
                    formatter,
                    "a sweep to saturation, at most concurrency {max_concurrency} and {max_load_points} load points"
                )
            }
            Self::Search { over, max, max_load_points } => {
                let what = match over {
                    Axis::Concurrency => "concurrency",
                    Axis::RequestRate { .. } => "request rate",
                };
                write!(
                    formatter,
                    "a search for the highest {what} that keeps the SLO, at most {max} and {max_load_points} load points"
                )
            }
        }
    }
}

impl Axis {
    /// The load at a position of the axis.
    fn load(self, at: f64) -> OfferedLoad {
        match self {
            Self::Concurrency => concurrency(at as u32),
            Self::RequestRate { arrivals } => OfferedLoad::RequestRate(RequestRate { per_s: at, arrivals }),
        }
    }

    /// The position of a load on the axis.
    fn position(self, load: OfferedLoad) -> Option<f64> {
        match self {
            Self::Concurrency => load.concurrency().map(f64::from),
            Self::RequestRate { .. } => load.request_rate().map(|rate| rate.per_s),
        }
    }
}

fn concurrency(requests: u32) -> OfferedLoad {
    OfferedLoad::Concurrency(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod model;
