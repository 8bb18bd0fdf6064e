//! Keeping the catalog fresh: which targets are due and why, what measuring them is expected to cost, and which of them a
//! budget allows. Pure, so that a dry run is the plan itself.

use chrono::{DateTime, Duration, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::engine::profile::{DeploymentRequest, choose};
use crate::estimate::{RunEstimate, RunMoney};
use crate::instance::InstanceType;
use crate::model::Model;
use crate::observed::Observed;
use crate::price::HourlyPrice;
use crate::run::{PlatformSpec, RunId, RunSpec};

mod plan;

pub use plan::{Budget, Candidate, Decision, Planned, RefreshPlan, Terms};

/// A request that the catalog repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its identity.
    pub id: Uuid,
    /// What is run.
    pub spec: RunSpec,
    /// How old its newest run may become.
    pub refresh_every: Duration,
    /// Its newest run.
    pub last_run: Option<LastRun>,
    /// Since when the newest revision of its model is known.
    pub newest_revision_at: Option<DateTime<Utc>>,
}

/// The newest run of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// When it was submitted.
    pub submitted_at: DateTime<Utc>,
    /// Whether it has ended, however it did.
    pub finished: bool,
    /// The image that its engine was started from.
    pub engine_image: Option<String>,
}

/// Why a target is to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It never was: the model or the instance type is new.
    NeverMeasured,
    /// The model has a revision that became known since.
    NewRevision,
    /// The engine's image is another one now.
    NewEngine,
    /// Its newest run is too old.
    Age,
}

/// What a run of a target is expected to take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    /// The image that the engine is started from; nothing where no profile deploys it.
    pub engine_image: Option<String>,
    /// Hours of the instance.
    pub hours: f64,
    /// Dollars for them.
    pub usd: Observed<f64>,
}

impl Reason {
    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverMeasured => "never_measured",
            Self::NewRevision => "new_revision",
            Self::NewEngine => "new_engine",
            Self::Age => "age",
        }
    }
}

impl Target {
    /// Why it is to be measured now; nothing while it is fresh.
    #[must_use]
    pub fn due(&self, engine_image: Option<&str>, now: DateTime<Utc>) -> Option<Reason> {
        let Some(last) = &self.last_run else { return Some(Reason::NeverMeasured) };
        let newer = |at: DateTime<Utc>| at > last.submitted_at;
        if self.spec.revision.is_none() && self.newest_revision_at.is_some_and(newer) {
            Some(Reason::NewRevision)
        } else if last.engine_image.is_some() && last.engine_image.as_deref() != engine_image {
            Some(Reason::NewEngine)
        } else if now - last.submitted_at >= self.refresh_every {
            Some(Reason::Age)
        } else {
            None
        }
    }

    /// Whether its newest run has not ended.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.last_run.as_ref().is_some_and(|last| !last.finished)
    }

    /// What measuring it is expected to take: the estimate that people are shown before they submit the same.
    ///
    /// # Errors
    /// Why no profile deploys it, in words.
    pub fn expect(
        &self,
        model: &Model,
        instance: &InstanceType,
        price: &Observed<HourlyPrice>,
    ) -> Result<Expectation, String> {
        let on_a_cluster = matches!(self.spec.platform, PlatformSpec::Kubernetes { .. });
        let plan = if on_a_cluster && !self.spec.platform.is_simulated() {
            let request = DeploymentRequest::of_run(&self.spec, model, instance);
            Some(choose(&request).map_err(|unsupported| unsupported.to_string())?)
        } else {
            None
        };
        let estimate = RunEstimate::of(&self.spec, model, instance, plan.as_ref(), price);
        Ok(Expectation {
            engine_image: plan.map(|plan| plan.image.to_string()),
            hours: estimate.time.total_s.value / 3600.0,
            usd: match estimate.money {
                RunMoney::NothingPaid { .. } => Observed::Value(0.0),
                RunMoney::Unknown { reason } => Observed::Absent(reason),
                RunMoney::Usd { estimate, .. } => Observed::Value(estimate.value),
            },
        })
    }
}

#[cfg(test)]
mod tests;
