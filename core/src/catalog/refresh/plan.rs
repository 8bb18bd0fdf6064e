//! The plan of a refresh: a decision for every target, those that are submitted first and in the order in which they are
//! run.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Expectation, Reason, Target};
use crate::observed::Observed;
use crate::run::{RunId, RunSpec};

/// A plan, which a dry run shows and a refresh carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefreshPlan {
    /// What becomes of each target.
    pub targets: Vec<Planned>,
    /// What may be spent, and on what.
    pub budget: Budget,
}

/// The money of a refresh, which is that of seven days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// What may be spent in seven days; nothing is no limit.
    pub usd: Option<f64>,
    /// What the submissions of the last seven days were expected to cost.
    pub spent_usd: f64,
    /// What those of this plan are expected to cost.
    pub planned_usd: f64,
    /// The hours of instances that they are expected to take.
    pub planned_hours: f64,
}

/// A target with what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// The target.
    pub catalog_target_id: Uuid,
    /// What is run.
    pub spec: RunSpec,
    /// Its newest run.
    pub last_run_id: Option<RunId>,
    /// When that was submitted.
    pub last_submitted_at: Option<DateTime<Utc>>,
    /// Whether the model can be had only with a token.
    pub gated: bool,
    /// What a run is expected to take, or why there can be none.
    pub expected: Observed<Expectation>,
    /// What becomes of it.
    #[serde(flatten)]
    pub decision: Decision,
}

/// What becomes of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "decision", content = "reason", rename_all = "snake_case")]
pub enum Decision {
    /// It is submitted.
    Submit(Reason),
    /// It waits for the money of another week.
    OverBudget(Reason),
    /// It is due, but what it would cost is not known, so that no budget can allow it.
    NoPrice(Reason),
    /// It is due, but its gated model cannot be had without a token.
    NeedsToken(Reason),
    /// Its run has not ended.
    UnderWay,
    /// It is not due.
    Fresh,
    /// It cannot be deployed.
    Unsupported,
}

/// A target with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The target.
    pub target: Target,
    /// Whether its model can be had only with a token.
    pub gated: bool,
    /// What a run is expected to take, or why there can be none.
    pub expected: Result<Expectation, String>,
}

/// What bounds a refresh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// What may be spent in seven days; nothing is no limit.
    pub budget_usd: Option<f64>,
    /// What was, in the last seven.
    pub spent_usd: f64,
    /// Whether there is a token for gated models.
    pub has_token: bool,
    /// When the refresh is made.
    pub now: DateTime<Utc>,
}

impl RefreshPlan {
    /// Decides for each candidate. What was never measured is paid for first, then what is oldest, so that a budget that
    /// is too small for all goes around; and what is submitted is put in an order in which runs on the same instance type,
    /// and of the same model on it, follow each other and find the node of the one before.
    #[must_use]
    pub fn new(mut candidates: Vec<Candidate>, terms: &Terms) -> Self {
        candidates.sort_by_key(|candidate| {
            let target = &candidate.target;
            (target.last_run.as_ref().map(|last| last.submitted_at), target.id)
        });
        let mut budget = Budget {
            usd: terms.budget_usd,
            spent_usd: terms.spent_usd,
            planned_usd: 0.0,
            planned_hours: 0.0,
        };
        let mut targets: Vec<Planned> = candidates
            .into_iter()
            .map(|candidate| {
                let decision = candidate.decide(terms, &mut budget);
                candidate.planned(decision)
            })
            .collect();
        targets.sort_by(|one, other| one.rank().cmp(&other.rank()));
        Self { targets, budget }
    }

    /// What is submitted, in order, why, and what it is expected to take.
    pub fn submissions(&self) -> impl Iterator<Item = (&Planned, Reason, &Expectation)> {
        self.targets.iter().filter_map(|planned| match (planned.decision, &planned.expected) {
            (Decision::Submit(reason), Observed::Value(expected)) => Some((planned, reason, expected)),
            _ => None,
        })
    }
}

impl Candidate {
    fn decide(&self, terms: &Terms, budget: &mut Budget) -> Decision {
        let Ok(expected) = &self.expected else { return Decision::Unsupported };
        if self.target.is_under_way() {
            return Decision::UnderWay;
        }
        let Some(reason) = self.target.due(expected.engine_image.as_deref(), terms.now) else {
            return Decision::Fresh;
        };
        if self.gated && !terms.has_token {
            return Decision::NeedsToken(reason);
        }
        match expected.usd.value() {
            None => Decision::NoPrice(reason),
            Some(usd) if !budget.allows(*usd) => Decision::OverBudget(reason),
            Some(usd) => {
                budget.planned_usd += usd;
                budget.planned_hours += expected.hours;
                Decision::Submit(reason)
            }
        }
    }

    fn planned(self, decision: Decision) -> Planned {
        let Self { target, gated, expected } = self;
        let last = target.last_run.as_ref();
        Planned {
            catalog_target_id: target.id,
            last_run_id: last.map(|last| last.run_id),
            last_submitted_at: last.map(|last| last.submitted_at),
            spec: target.spec,
            gated,
            expected: match expected {
                Ok(expected) => Observed::Value(expected),
                Err(reason) => Observed::Absent(reason),
            },
            decision,
        }
    }
}

impl Budget {
    fn allows(&self, usd: f64) -> bool {
        self.usd.is_none_or(|most| self.spent_usd + self.planned_usd + usd <= most)
    }
}

impl Planned {
    /// Decisions in the order of their declaration, then by where and what is run.
    fn rank(&self) -> impl Ord + use<'_> {
        let decision = match self.decision {
            Decision::Submit(_) => 0,
            Decision::OverBudget(_) => 1,
            Decision::NoPrice(_) => 2,
            Decision::NeedsToken(_) => 3,
            Decision::UnderWay => 4,
            Decision::Fresh => 5,
            Decision::Unsupported => 6,
        };
        let spec = &self.spec;
        (decision, &spec.instance_type, &spec.model, spec.quantization, spec.tensor_parallel)
    }
}
