//! The answer to "what is the cheapest configuration that keeps this SLO at this load": from measured load curves and
//! prices, ranked, with what each rests on and why the others lose. Rates are measured, or interpolated between two
//! measured points; nothing is ever extrapolated, and no estimate is used.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cost::{Costs, MonthlyProjection, OutputWeight, Throughput, monthly_projection};
use crate::dataset::Sha256Hex;
use crate::engine::EngineKind;
use crate::exploration::{Axis, Exploration};
use crate::instance::InstanceTypeName;
use crate::load::OfferedLoad;
use crate::metric::Metric;
use crate::model::{ModelId, Quantization, Revision};
use crate::observed::Observed;
use crate::price::HourlyPrice;
use crate::result::{BenchmarkResult, Origin, ResultId};
use crate::slo::Slo;
use crate::stats::Estimate;
use crate::validity::Outcome;

mod curve;
mod loss;
mod published;
mod sentence;

pub use curve::{Basis, Certainty, Sustainable};
pub use loss::Loss;
pub use published::{Lengths, Published, published};

/// Load points and the highest concurrency of the searches that are proposed.
const SEARCH: Exploration = Exploration::Search { over: Axis::Concurrency, max: 256.0, max_load_points: 10 };

/// What was measured: everything but the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// The model.
    pub model: ModelId,
    /// The commit of its weights.
    pub revision: Observed<Revision>,
    /// The instance type, of which one replica takes a whole one.
    pub instance_type: InstanceTypeName,
    /// How the weights were stored.
    pub quantization: Observed<Quantization>,
    /// Over how many accelerators one replica was split.
    pub tensor_parallel: u32,
    /// The engine software.
    pub engine: EngineKind,
    /// Its version.
    pub engine_version: Observed<String>,
}

/// A configuration with its load curve and its price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// What was measured.
    pub configuration: Configuration,
    /// Its load points, in any order. Origins are the caller's choice: imported and simulated ones only if asked for.
    pub points: Vec<Point>,
    /// What an hour of the instance costs in the wanted region and tier.
    pub price: Observed<HourlyPrice>,
}

/// What a point was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Evidence {
    /// A result of ours.
    Result(ResultId),
    /// What somebody else published.
    Published(Sha256Hex),
}

/// A measured load point, as far as a recommendation needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// What it was read from.
    pub result: Evidence,
    /// The offered load.
    pub offered_load: OfferedLoad,
    /// What the instance did.
    pub throughput: Throughput,
    /// The latencies in milliseconds, as far as they are known.
    pub latencies: BTreeMap<Metric, f64>,
    /// How sure the numbers are, as far as that is known.
    pub estimates: BTreeMap<Metric, Estimate>,
    /// The share of requests that failed, 0 to 1.
    pub error_share: f64,
    /// Whether the numbers can be trusted.
    pub validity: Outcome,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// How it came to be.
    pub origin: Origin,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// The limits to keep.
    pub slo: Slo,
    /// The load to bear, in requests per second.
    pub target_requests_per_s: f64,
    /// How the hour is split between input and output tokens.
    pub output_weight: OutputWeight,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Recommendation {
    /// There are configurations that keep the SLO at the load.
    Found {
        /// All of them, the cheapest first; the second one is the runner-up.
        choices: Vec<Choice>,
        /// The other candidates.
        excluded: Vec<Excluded>,
        /// Measurements that might find a cheaper one.
        to_run: Vec<ToRun>,
    },
    /// Every candidate was measured well enough to say that none does.
    NothingMeets {
        /// Why each does not.
        excluded: Vec<Excluded>,
    },
    /// What was measured does not suffice to answer.
    NotEnoughData {
        /// Why each candidate gives no answer.
        excluded: Vec<Excluded>,
        /// What to measure. Empty without candidates: then run the instance types that the model fits.
        to_run: Vec<ToRun>,
    },
}

/// A configuration that keeps the SLO at the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// What to run.
    pub configuration: Configuration,
    /// What one replica bears, and what says so.
    pub sustainable: Sustainable,
    /// How many it takes and what they cost; never without a price here.
    pub projection: MonthlyProjection,
    /// The cost in a month.
    pub per_month: f64,
    /// The costs at the target load, when its replicas share it evenly.
    pub costs: Costs,
    /// By how much it is dearer than the cheapest, as a share of that one's cost; 0 for the cheapest.
    pub dearer_by_share: f64,
}

/// A candidate that is no choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    /// The candidate.
    pub configuration: Configuration,
    /// Why.
    pub loss: Loss,
}

/// A measurement that would tell more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToRun {
    /// What to measure.
    pub configuration: Configuration,
    /// How: a search with the SLO of the question.
    pub exploration: Exploration,
}

impl Point {
    /// The load point of a stored result.
    #[must_use]
    pub fn of(result: &BenchmarkResult) -> Self {
        let report = &result.report;
        // A percentile of too few requests is none.
        let supported = |metric: &Metric| match metric {
            Metric::Latency(_, statistic) => report.supports(*statistic),
            Metric::OutputTokensPerS | Metric::InputTokensPerS | Metric::RequestsPerS => false,
        };
        let latencies = Metric::all().filter(supported);
        Self {
            result: Evidence::Result(result.id),
            offered_load: result.offered_load,
            throughput: Throughput::of(report),
            latencies: latencies.map(|metric| (metric, report.value(metric))).collect(),
            estimates: report.estimates.clone(),
            error_share: report.error_share(),
            validity: result.validity,
            recorded_at: result.recorded_at,
            origin: result.provenance.origin,
        }
    }
}

impl Recommendation {
    /// The cheapest choice, if there is one.
    #[must_use]
    pub fn best(&self) -> Option<&Choice> {
        match self {
            Self::Found { choices, .. } => choices.first(),
            Self::NothingMeets { .. } | Self::NotEnoughData { .. } => None,
        }
    }

    /// Every candidate but the best, with the reason why it is not the answer.
    #[must_use]
    pub fn losers(&self) -> Vec<Excluded> {
        let (choices, excluded) = match self {
            Self::Found { choices, excluded, .. } => (choices.get(1..).unwrap_or_default(), excluded),
            Self::NothingMeets { excluded } | Self::NotEnoughData { excluded, .. } => (&[][..], excluded),
        };
        let dearer = |choice: &Choice| Excluded {
            configuration: choice.configuration.clone(),
            loss: Loss::Dearer { share: choice.dearer_by_share, per_month: choice.per_month },
        };
        choices.iter().map(dearer).chain(excluded.iter().cloned()).collect()
    }
}

/// Ranks the candidates by what a month of the replicas costs that bear the target load within the SLO. At equal cost
/// the one with more headroom comes first.
#[must_use]
pub fn recommend(candidates: &[Candidate], question: &Question) -> Recommendation {
    let (mut choices, mut excluded, mut to_run) = (Vec::new(), Vec::new(), Vec::new());
    for candidate in candidates {
        let configuration = candidate.configuration.clone();
        let judged = judge(candidate, question);
        let more_to_learn = match &judged {
            Ok(choice) => choice.sustainable.ends_the_curve,
            Err(loss) => loss.lacks_data(),
        };
        if more_to_learn {
            to_run.push(ToRun { configuration: configuration.clone(), exploration: SEARCH });
        }
        match judged {
            Ok(choice) => choices.push(choice),
            Err(loss) => excluded.push(Excluded { configuration, loss }),
        }
    }
    rank(&mut choices);
    match (choices.is_empty(), to_run.is_empty() && !candidates.is_empty()) {
        (false, _) => Recommendation::Found { choices, excluded, to_run },
        (true, true) => Recommendation::NothingMeets { excluded },
        (true, false) => Recommendation::NotEnoughData { excluded, to_run },
    }
}

fn judge(candidate: &Candidate, question: &Question) -> Result<Choice, Loss> {
    let sustainable = curve::sustainable(&candidate.points, &question.slo)?;
    let target = question.target_requests_per_s;
    let bears = sustainable.throughput.requests_per_s;
    let projection = monthly_projection(&candidate.price, bears, target)
        .map_err(|refusal| Loss::NoProjection { reason: refusal.to_string() })?;
    let per_month = match &projection.per_month {
        Observed::Value(per_month) if per_month.is_finite() => *per_month,
        Observed::Value(_) => {
            return Err(Loss::NoPrice { reason: "the price is beyond all numbers".to_owned() });
        }
        Observed::Absent(reason) => return Err(Loss::NoPrice { reason: reason.clone() }),
    };
    let busy = target / f64::from(projection.replicas) / bears;
    let costs = Costs::of(&candidate.price, &sustainable.throughput.scaled(busy), question.output_weight);
    let configuration = candidate.configuration.clone();
    Ok(Choice { configuration, sustainable, projection, per_month, costs, dearer_by_share: 0.0 })
}

fn rank(choices: &mut [Choice]) {
    choices.sort_by(|a, b| {
        let by_headroom = b.projection.headroom_share.total_cmp(&a.projection.headroom_share);
        a.per_month.total_cmp(&b.per_month).then(by_headroom)
    });
    let Some(least) = choices.first().map(|choice| choice.per_month) else { return };
    for choice in choices {
        choice.dearer_by_share = choice.per_month / least - 1.0;
    }
}

#[cfg(test)]
mod tests;
