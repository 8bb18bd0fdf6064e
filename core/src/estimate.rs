//! What a run would be like before it costs anything: how fast, for how long, for how much. Every number is an estimate
//! with an interval, is to be called so wherever it is shown, and is never stored as a result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::profile::DeploymentPlan;
use crate::instance::InstanceType;
use crate::load::OfferedLoad;
use crate::model::Model;
use crate::observed::Observed;
use crate::prediction::{Estimated, Estimates};
use crate::run::RunSpec;

mod budget;
mod duration;
mod money;
mod sentence;
mod speed;
#[cfg(test)]
mod tests;

pub use budget::OverBudget;
pub use duration::RunTime;
pub use money::{HourlyUsd, RunMoney};

/// The estimate of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunEstimate {
    /// How fast it would be at each load point; at some of them, where the run looks for them itself.
    pub load_points: Vec<LoadPointEstimate>,
    /// How long it would take.
    pub time: RunTime,
    /// What it would cost.
    pub money: RunMoney,
}

/// How fast a load point would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadPointEstimate {
    /// The load.
    pub offered_load: OfferedLoad,
    /// The speed, or why it cannot be estimated.
    pub speed: Observed<Estimates>,
    /// How long it would be measured, with its warm-up, in seconds.
    pub measuring_s: Estimated,
}

impl RunEstimate {
    /// What the run would be like: with `plan` as it would be deployed on a cluster, elsewhere without one.
    #[must_use]
    pub fn of(
        spec: &RunSpec,
        model: &Model,
        instance: &InstanceType,
        plan: Option<&DeploymentPlan>,
        price: &HourlyUsd,
    ) -> Self {
        let load_points = speed::load_points(spec, model, instance, plan);
        let time = RunTime::of(spec, plan, &load_points);
        let money = RunMoney::of(spec, &time, price);
        Self { load_points, time, money }
    }
}
