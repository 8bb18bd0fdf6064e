//! Finds the factors from measurements: the sum of absolute ratio errors is made small by a pattern search, with every
//! factor drawn towards what is known of such machines, so that accelerators with few measurements stay sensible.
//! Whole groups (a model architecture on an accelerator) are left out in turn to see how far off it is for the rest.

use super::factors::position;
use super::roofline::Work;
use super::{Calibration, Factors, Generation, Interval, Intervals, Serving};
use crate::fit::ModelFacts;
use crate::instance::InstanceType;

mod search;

/// A measurement to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The model architecture and the accelerator: what is left out together.
    pub group: String,
    /// The accelerator, as the source calls it.
    pub accelerator: String,
    /// What is known of the model.
    pub model: ModelFacts,
    /// The instance type.
    pub instance: InstanceType,
    /// How it was served.
    pub serving: Serving,
    /// How much it counts: 1, or less where the source is unsure.
    pub weight: f64,
    /// Output tokens per second.
    pub output_tokens_per_s: f64,
    /// Time to first token in milliseconds, where stated.
    pub ttft_ms: Option<f64>,
    /// Time per output token in milliseconds, where stated.
    pub tpot_ms: Option<f64>,
}

/// A measurement against the estimate of factors that never saw its group.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut<'a> {
    /// The measurement.
    pub measurement: &'a Measurement,
    /// Measured over estimated throughput.
    pub throughput_ratio: f64,
    /// Measured over estimated time to first token.
    pub ttft_ratio: Option<f64>,
    /// Measured over estimated time per output token.
    pub tpot_ratio: Option<f64>,
}

/// A measurement with its work.
#[derive(Debug, Clone, Copy)]
struct Point<'a> {
    measurement: &'a Measurement,
    work: Work,
    weight: f64,
}

/// Factors from all measurements, and intervals from leaving out each group in turn. Measurements that make no work
/// (they do not fit, or a fact is missing) are passed over.
#[must_use]
pub fn calibrate(measurements: &[Measurement]) -> Calibration {
    let points = points(measurements);
    let left_out = leave_out_each(&points);
    let mut counts = [0; 7];
    for index in points.iter().filter_map(|point| position(point.work.machine.generation)) {
        counts[index] += 1;
    }
    let of_kind = |neuron: bool| -> Vec<&LeftOut<'_>> {
        let kind = |it: &&LeftOut<'_>| generation(it.measurement).is_neuron() == neuron;
        left_out.iter().filter(kind).collect()
    };
    Calibration {
        factors: search::fit(&points),
        measurements: counts,
        gpu: intervals(&of_kind(false)),
        neuron: intervals(&of_kind(true)),
    }
}

/// Every measurement against factors that never saw its group.
#[must_use]
pub fn cross_validate(measurements: &[Measurement]) -> Vec<LeftOut<'_>> {
    leave_out_each(&points(measurements))
}

fn points(measurements: &[Measurement]) -> Vec<Point<'_>> {
    let work = |it: &Measurement| Work::of(&it.model, &it.instance, &it.serving);
    let usable = |it: &&Measurement| it.output_tokens_per_s.is_finite() && it.output_tokens_per_s > 0.0;
    let mut points: Vec<Point<'_>> = measurements
        .iter()
        .filter(usable)
        .filter_map(|it| work(it).ok().map(|work| Point { measurement: it, work, weight: it.weight }))
        .collect();
    // A group of a hundred points counts ten times a single point, not a hundred times.
    let sizes: Vec<f64> = points.iter().map(|point| group_size(&points, &point.measurement.group)).collect();
    for (point, size) in points.iter_mut().zip(sizes) {
        point.weight /= size.sqrt();
    }
    points
}

fn group_size(points: &[Point<'_>], group: &str) -> f64 {
    points.iter().filter(|other| other.measurement.group == group).count() as f64
}

fn leave_out_each<'a>(points: &[Point<'a>]) -> Vec<LeftOut<'a>> {
    let mut groups: Vec<&str> = points.iter().map(|point| point.measurement.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let one_group = |group: &str| -> Vec<LeftOut<'a>> {
        let (out, rest): (Vec<Point<'_>>, Vec<Point<'_>>) =
            points.iter().partition(|point| point.measurement.group == group);
        let factors = search::fit(&rest);
        out.iter().map(|point| against(point, &factors)).collect()
    };
    groups.into_iter().flat_map(one_group).collect()
}

fn against<'a>(point: &Point<'a>, factors: &Factors) -> LeftOut<'a> {
    let (work, measurement) = (&point.work, point.measurement);
    let times = work.times(factors);
    LeftOut {
        measurement,
        throughput_ratio: measurement.output_tokens_per_s / throughput(work, factors),
        ttft_ratio: measurement.ttft_ms.map(|ttft_ms| ttft_ms / (1e3 * work.ttft_s(&times))),
        tpot_ratio: measurement.tpot_ms.map(|tpot_ms| tpot_ms / (1e3 * work.tpot_s(&times))),
    }
}

fn throughput(work: &Work, factors: &Factors) -> f64 {
    work.requests_per_s(&work.times(factors)) * work.output_tokens
}

fn generation(measurement: &Measurement) -> Generation {
    measurement.instance.accelerator_name.as_deref().map_or(Generation::Other, Generation::of)
}

fn intervals(left_out: &[&LeftOut<'_>]) -> Intervals {
    let of = |ratio: fn(&LeftOut<'_>) -> Option<f64>| {
        let ratios = left_out.iter().filter_map(|it| Some((it.measurement.group.as_str(), ratio(it)?)));
        interval(ratios.collect())
    };
    Intervals {
        throughput: of(|it| Some(it.throughput_ratio)),
        ttft: of(|it| it.ttft_ratio),
        tpot: of(|it| it.tpot_ratio),
    }
}

/// The 10th and 90th percentile, where every group counts the same: many measurements of one model do not make the
/// estimate of another one surer.
fn interval(mut ratios: Vec<(&str, f64)>) -> Interval {
    ratios.retain(|(_, ratio)| ratio.is_finite());
    ratios.sort_by(|a, b| a.1.total_cmp(&b.1));
    let share = |group: &str| 1.0 / ratios.iter().filter(|(other, _)| *other == group).count() as f64;
    let shares: Vec<f64> = ratios.iter().map(|(group, _)| share(group)).collect();
    let all: f64 = shares.iter().sum();
    let percentile = |wanted: f64| {
        let mut below = 0.0;
        let reached = |share: &f64| {
            below += share;
            below >= wanted * all
        };
        shares.iter().position(reached).or(ratios.len().checked_sub(1)).map_or(1.0, |index| ratios[index].1)
    };
    let (low, high) = (percentile(0.1), percentile(0.9));
    Interval { low, high }
}

#[cfg(test)]
mod tests;
