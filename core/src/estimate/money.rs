//! What a run would cost: the instance for as long as it is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RunTime;
use crate::cost;
use crate::observed::Observed;
use crate::prediction::Estimated;
use crate::price::{HourlyPrice, Price};
use crate::run::{PlatformSpec, RunSpec};

/// The price of an hour in US dollars, or why there is none.
pub type HourlyUsd = Observed<HourlyPrice>;

/// What a run would cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunMoney {
    /// The run pays for no instance.
    NothingPaid {
        /// Why not.
        reason: String,
    },
    /// There is no price.
    Unknown {
        /// Why not.
        reason: String,
    },
    /// It pays for an instance.
    Usd {
        /// The instance, an hour.
        per_hour: f64,
        /// The run.
        estimate: Estimated,
        /// The run, were it ended only by its time limit, with the longest teardown that is assumed.
        at_time_limit: f64,
    },
}

impl RunMoney {
    pub(super) fn of(spec: &RunSpec, time: &RunTime, price: &HourlyUsd) -> Self {
        let reason = match &spec.platform {
            PlatformSpec::Local { .. } => "it runs on the worker's own machine",
            PlatformSpec::Endpoint { .. } => "somebody else pays for the server behind the endpoint",
            PlatformSpec::Kubernetes { .. } => return Self::paid(time, price),
        };
        Self::NothingPaid { reason: reason.to_owned() }
    }

    fn paid(time: &RunTime, price: &HourlyUsd) -> Self {
        let per_hour = match cost::of_run(price, 3600.0) {
            Observed::Value(per_hour) => per_hour,
            Observed::Absent(reason) => return Self::Unknown { reason },
        };
        // With a price, only a time that is none has no cost, and is never within a budget.
        let usd = |seconds: f64| cost::of_run(price, seconds).value().copied().unwrap_or(f64::INFINITY);
        let Estimated { value, low, high } = time.total_s;
        Self::Usd {
            per_hour,
            estimate: Estimated { value: usd(value), low: usd(low), high: usd(high) },
            at_time_limit: usd(f64::from(time.timeout_s) + time.teardown_s.high),
        }
    }
}

/// The price as dollars: a limit in dollars cannot be held against another currency.
impl From<&Price> for HourlyUsd {
    fn from(price: &Price) -> Self {
        if price.currency == "USD" {
            price.price.clone()
        } else {
            Self::absent(format!("the price in {} is in {}, not in USD", price.region, price.currency))
        }
    }
}
