//! The highest rate of one replica within the SLO, read off a load curve.
//!
//! Points are taken in the order of the offered load; what lies beyond the first one that misses the SLO does not count,
//! because chance may let a higher load pass. Between the last point that keeps it and the first that misses it, latency
//! and throughput are taken to grow along straight lines. Real latencies bend upwards, so that the true rate is higher.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Point};
use crate::cost::Throughput;
use crate::load::OfferedLoad;
use crate::metric::Metric;
use crate::slo::{MOST_FAILED, Slo};
use crate::validity::Outcome;

/// What one replica bears within the SLO.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sustainable {
    /// What it does then.
    pub throughput: Throughput,
    /// What says so.
    pub basis: Basis,
    /// Ends of the 95 % interval of the measured requests per second, where it is known.
    pub requests_per_s_interval: Option<(f64, f64)>,
    /// Whether the SLO is kept by more than chance, at the point that keeps it.
    pub certainty: Certainty,
    /// Whether the highest measured load keeps the SLO and brought the highest rate, so that it may bear more.
    pub ends_the_curve: bool,
}

/// The measured points that a rate rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// This point was measured.
    Measured {
        /// The point.
        point: Box<Point>,
    },
    /// The rate lies between two measured points.
    Interpolated {
        /// The highest load that keeps the SLO.
        keeps: Box<Point>,
        /// The next load, which misses it.
        misses: Box<Point>,
        /// How far it lies from the one to the other, 0 to 1.
        position: f64,
    },
}

/// Whether a limit is kept by more than chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The intervals of all limited latencies end below their limits.
    Clear,
    /// The interval of a limited latency contains its limit.
    WithinError,
    /// The interval of a limited latency is not known.
    Unknown,
}

impl Basis {
    /// The measured points.
    #[must_use]
    pub fn points(&self) -> Vec<&Point> {
        match self {
            Self::Measured { point } => vec![point],
            Self::Interpolated { keeps, misses, .. } => vec![keeps, misses],
        }
    }

    /// The worst validity of the points.
    #[must_use]
    pub fn validity(&self) -> Outcome {
        self.points().iter().map(|point| point.validity).max().unwrap_or(Outcome::Fail)
    }
}

/// How a point stands to the SLO.
enum Standing {
    Keeps,
    /// It misses it, and between it and a point that keeps it nothing can be said.
    Fails(Loss),
    /// A latency is above its limit.
    Misses(Loss),
}

/// The highest rate within the SLO on any of the kinds of load that were offered.
pub(super) fn sustainable(points: &[Point], slo: &Slo) -> Result<Sustainable, Loss> {
    if points.is_empty() {
        return Err(Loss::Unmeasured);
    }
    let usable = |point: &&Point| {
        point.validity != Outcome::Fail
            && point.throughput.requests_per_s.is_finite()
            && point.throughput.requests_per_s > 0.0
            && point.offered_load.amount().is_finite()
    };
    let usable: Vec<&Point> = points.iter().filter(usable).collect();
    if usable.is_empty() {
        return Err(Loss::InvalidMeasurements { measurements: points.len() });
    }
    let mut best: Option<Result<Sustainable, Loss>> = None;
    for kind in [Kind::Concurrency, Kind::RequestRate, Kind::Trace] {
        let curve = usable.iter().copied().filter(|point| Kind::of(point.offered_load) == kind).collect();
        best = better(best, of_curve(curve, slo));
    }
    best.unwrap_or(Err(Loss::Unmeasured))
}

fn better(
    best: Option<Result<Sustainable, Loss>>,
    other: Option<Result<Sustainable, Loss>>,
) -> Option<Result<Sustainable, Loss>> {
    match (best, other) {
        (Some(Ok(best)), Some(Ok(other))) => {
            let rate = |it: &Sustainable| it.throughput.requests_per_s;
            Some(Ok(if rate(&other) > rate(&best) { other } else { best }))
        }
        (Some(Err(_)), Some(Ok(other))) => Some(Ok(other)),
        (best, other) => best.or(other),
    }
}

fn of_curve(mut curve: Vec<&Point>, slo: &Slo) -> Option<Result<Sustainable, Loss>> {
    // Of repeated loads the one that misses comes first, and counts.
    let keeps = |point: &Point| matches!(standing(point, slo), Standing::Keeps);
    curve.sort_by(|a, b| {
        a.offered_load.amount().total_cmp(&b.offered_load.amount()).then_with(|| keeps(a).cmp(&keeps(b)))
    });
    let standings: Vec<Standing> = curve.iter().map(|point| standing(point, slo)).collect();
    let first_miss = standings.iter().position(|it| !matches!(it, Standing::Keeps));
    let kept = &curve[..first_miss.unwrap_or(curve.len())];
    // Beyond saturation more load brings a lower rate: the best of those that keep the SLO counts.
    let by_rate =
        |a: &&&Point, b: &&&Point| a.throughput.requests_per_s.total_cmp(&b.throughput.requests_per_s);
    let Some(best) = kept.iter().max_by(by_rate) else {
        return match standings.into_iter().next()? {
            Standing::Keeps => None,
            Standing::Fails(loss) | Standing::Misses(loss) => Some(Err(loss)),
        };
    };
    let between = first_miss.and_then(|at| match standings[at] {
        Standing::Misses(_) => interpolated(kept.last()?, curve[at], slo),
        Standing::Fails(_) | Standing::Keeps => None,
    });
    let higher = between.filter(|it| it.throughput.requests_per_s > best.throughput.requests_per_s);
    // Where more load brought no more, a still higher one need not be tried.
    let ends_the_curve = first_miss.is_none() && curve.last()?.offered_load == best.offered_load;
    Some(Ok(higher.unwrap_or_else(|| measured(best, slo, ends_the_curve))))
}

fn measured(point: &Point, slo: &Slo, ends_the_curve: bool) -> Sustainable {
    Sustainable {
        throughput: point.throughput,
        basis: Basis::Measured { point: Box::new(point.clone()) },
        requests_per_s_interval: interval(point, 1.0),
        certainty: certainty(point, slo),
        ends_the_curve,
    }
}

/// The rate at which the first limit is reached; `None` when the rate does not grow between the points.
fn interpolated(keeps: &Point, misses: &Point, slo: &Slo) -> Option<Sustainable> {
    let (from, to) = (keeps.throughput.requests_per_s, misses.throughput.requests_per_s);
    let reached = |(metric, limit_ms): (Metric, f64)| {
        let (low, high) = (*keeps.latencies.get(&metric)?, *misses.latencies.get(&metric)?);
        (high > limit_ms).then(|| ((limit_ms - low) / (high - low)).clamp(0.0, 1.0))
    };
    let position =
        limits(slo).filter_map(reached).reduce(f64::min).filter(|position| position.is_finite())?;
    if to <= from || position <= 0.0 {
        return None;
    }
    let throughput = keeps.throughput.towards(&misses.throughput, position);
    Some(Sustainable {
        throughput,
        basis: Basis::Interpolated {
            keeps: Box::new(keeps.clone()),
            misses: Box::new(misses.clone()),
            position,
        },
        requests_per_s_interval: interval(keeps, throughput.requests_per_s / from),
        certainty: certainty(keeps, slo),
        ends_the_curve: false,
    })
}

fn interval(point: &Point, scale: f64) -> Option<(f64, f64)> {
    let estimate = point.estimates.get(&Metric::RequestsPerS)?;
    Some((estimate.low * scale, estimate.high * scale))
}

fn certainty(point: &Point, slo: &Slo) -> Certainty {
    let upper_ends = limits(slo).map(|(metric, limit_ms)| {
        point.estimates.get(&metric).map_or(Certainty::Unknown, |estimate| {
            if estimate.high <= limit_ms { Certainty::Clear } else { Certainty::WithinError }
        })
    });
    let all: Vec<Certainty> = upper_ends.collect();
    [Certainty::WithinError, Certainty::Unknown]
        .into_iter()
        .find(|it| all.contains(it))
        .unwrap_or(Certainty::Clear)
}

fn standing(point: &Point, slo: &Slo) -> Standing {
    let mut worst: Option<(f64, Loss)> = None;
    for (metric, limit_ms) in limits(slo) {
        let Some(measured_ms) = point.latencies.get(&metric).copied().filter(|it| it.is_finite()) else {
            return Standing::Fails(Loss::MetricUnmeasured { metric });
        };
        let excess = measured_ms / limit_ms;
        if measured_ms > limit_ms && worst.as_ref().is_none_or(|(most, _)| excess > *most) {
            let offered_load = point.offered_load;
            worst = Some((excess, Loss::TooSlow { offered_load, metric, measured_ms, limit_ms }));
        }
    }
    if point.error_share.is_nan() || point.error_share > MOST_FAILED {
        let (offered_load, error_share) = (point.offered_load, point.error_share);
        return Standing::Fails(Loss::RequestsFail { offered_load, error_share });
    }
    worst.map_or(Standing::Keeps, |(_, loss)| Standing::Misses(loss))
}

fn limits(slo: &Slo) -> impl Iterator<Item = (Metric, f64)> {
    slo.limits().iter().map(|limit| (limit.metric(), limit.at_most_ms()))
}

/// Loads of one kind lie on one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Concurrency,
    RequestRate,
    Trace,
}

impl Kind {
    fn of(load: OfferedLoad) -> Self {
        match load {
            OfferedLoad::Concurrency(_) => Self::Concurrency,
            OfferedLoad::RequestRate(_) => Self::RequestRate,
            OfferedLoad::Trace(_) => Self::Trace,
        }
    }
}

impl Throughput {
    /// All rates times a factor.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self {
            input_tokens_per_s: self.input_tokens_per_s * factor,
            output_tokens_per_s: self.output_tokens_per_s * factor,
            requests_per_s: self.requests_per_s * factor,
        }
    }

    fn towards(&self, other: &Self, position: f64) -> Self {
        let between = |from: f64, to: f64| from + position * (to - from);
        Self {
            input_tokens_per_s: between(self.input_tokens_per_s, other.input_tokens_per_s),
            output_tokens_per_s: between(self.output_tokens_per_s, other.output_tokens_per_s),
            requests_per_s: between(self.requests_per_s, other.requests_per_s),
        }
    }
}
