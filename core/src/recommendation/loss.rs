//! Why a candidate is not the answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::OfferedLoad;
use crate::metric::Metric;

/// Why a candidate is not the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Loss {
    /// It keeps the SLO, at a higher cost.
    Dearer {
        /// By how much, as a share of the cheapest one's cost.
        share: f64,
        /// What it costs in a month.
        per_month: f64,
    },
    /// It is too slow at the lowest load that was measured.
    TooSlow {
        /// That load.
        offered_load: OfferedLoad,
        /// The limit that it breaks most.
        metric: Metric,
        /// What was measured, in milliseconds.
        measured_ms: f64,
        /// The limit, in milliseconds.
        limit_ms: f64,
    },
    /// Requests fail at the lowest load that was measured.
    RequestsFail {
        /// That load.
        offered_load: OfferedLoad,
        /// The share that fails, 0 to 1.
        error_share: f64,
    },
    /// There is no price.
    NoPrice {
        /// Why.
        reason: String,
    },
    /// None of its measurements can be trusted.
    InvalidMeasurements {
        /// How many there are.
        measurements: usize,
    },
    /// It was never measured.
    Unmeasured,
    /// A latency that the SLO limits was not measured.
    MetricUnmeasured {
        /// Which one.
        metric: Metric,
    },
    /// The rates make no sensible number of replicas.
    NoProjection {
        /// Why.
        reason: String,
    },
}

impl Loss {
    /// Whether a measurement could turn it into a choice. One that is too slow for a single request stays so; at a
    /// higher load there is a lower one to try.
    #[must_use]
    pub fn lacks_data(&self) -> bool {
        match self {
            Self::InvalidMeasurements { .. } | Self::Unmeasured | Self::MetricUnmeasured { .. } => true,
            Self::TooSlow { offered_load, .. } | Self::RequestsFail { offered_load, .. } => {
                offered_load.concurrency() != Some(1)
            }
            Self::Dearer { .. } | Self::NoPrice { .. } | Self::NoProjection { .. } => false,
        }
    }
}
