//! A sweep doubles the concurrency until the engine is saturated, and then measures between the points where the curve
//! bends most.

use std::num::NonZeroU32;

use super::{Conclusion, Step, concurrency};
use crate::load::LoadReport;
use crate::metric::Metric;
use crate::stats::{Difference, Verdict};
use crate::validity::Outcome;

/// A load that brings less than this share of its own growth as throughput has found the plateau.
const LEAST_GAIN: f64 = 0.05;

/// The engine's queue holds more than this share of the requests, and a doubled load brought less than
/// [`LEAST_GAIN_WHEN_WAITING`]: more of them only wait. A few wait at any load, for the moment until they are seen.
const MOST_WAITING: f64 = 0.10;
const LEAST_GAIN_WHEN_WAITING: f64 = 0.5;

/// A bend of less than this (second difference of the logarithm of the throughput, less what chance makes of it) needs
/// no point of its own.
const LEAST_BEND: f64 = 0.05;

pub(super) fn next(max_concurrency: NonZeroU32, max_load_points: usize, measured: &[LoadReport]) -> Step {
    let mut curve: Vec<&LoadReport> =
        measured.iter().filter(|report| report.offered_load.concurrency().is_some()).collect();
    curve.sort_by_key(|report| report.offered_load.concurrency());
    let Some(last) = curve.last() else { return Step::Measure(concurrency(1)) };
    let (at, saturation) = (requests(last), saturation(&curve));
    if measured.len() >= max_load_points {
        return done(
            &curve,
            saturation.unwrap_or("the number of load points was reached before the plateau"),
        );
    }
    match saturation {
        None if at < max_concurrency.get() => {
            Step::Measure(concurrency(at.saturating_mul(2).min(max_concurrency.get())))
        }
        _ => match bend(&curve) {
            Some(requests) => Step::Measure(concurrency(requests)),
            None => {
                done(&curve, saturation.unwrap_or("the highest concurrency was reached before the plateau"))
            }
        },
    }
}

/// Why the last two points of a curve say that more load brings no more, if they do.
fn saturation(curve: &[&LoadReport]) -> Option<&'static str> {
    let [.., previous, last] = curve else { return None };
    let failing =
        last.checks.iter().any(|check| check.name == "error_share" && check.outcome == Outcome::Fail);
    let waiting = last.server.requests_waiting_mean.value().copied().unwrap_or(0.0);
    if failing {
        Some("more requests fail")
    } else if waiting > MOST_WAITING * f64::from(requests(last))
        && gain(previous, last) < LEAST_GAIN_WHEN_WAITING
    {
        Some("more requests wait in the engine's queue")
    } else if is_plateau(previous, last) {
        Some("more requests bring no more throughput")
    } else {
        None
    }
}

/// Whether the throughput grows by too little, or by nothing that stands out from chance.
fn is_plateau(previous: &LoadReport, last: &LoadReport) -> bool {
    let metric = Metric::OutputTokensPerS;
    let clear = match (previous.estimates.get(&metric), last.estimates.get(&metric)) {
        (Some(base), Some(other)) => Difference::between(base, other).verdict == Verdict::Higher,
        _ => true,
    };
    !clear || gain(previous, last) < LEAST_GAIN
}

/// How much more throughput came from how much more load: 1 when both grow alike.
fn gain(previous: &LoadReport, last: &LoadReport) -> f64 {
    let more = f64::from(requests(last)) / f64::from(requests(previous)).max(1.0) - 1.0;
    (last.output_tokens_per_s / previous.output_tokens_per_s - 1.0) / more.max(f64::MIN_POSITIVE)
}

/// The concurrency in the middle of the two points beside which the curve bends most, unless it hardly bends.
fn bend(curve: &[&LoadReport]) -> Option<u32> {
    let point = |report: &&LoadReport| (f64::from(requests(report)).ln(), report.output_tokens_per_s.ln());
    let points: Vec<(f64, f64)> = curve.iter().map(point).collect();
    let mut candidates = Vec::new();
    for (index, (three, reports)) in points.windows(3).zip(curve.windows(3)).enumerate() {
        let slope =
            |from: (f64, f64), to: (f64, f64)| (to.1 - from.1) / (to.0 - from.0).max(f64::MIN_POSITIVE);
        // How far the middle point lies from the line between its neighbours, about: the change of slope over the step.
        let change = (slope(three[1], three[2]) - slope(three[0], three[1])).abs();
        for segment in [index, index + 1] {
            let (from, to) = (requests(curve[segment]), requests(curve[segment + 1]));
            let middle = (f64::from(from) * f64::from(to)).sqrt().round() as u32;
            if middle > from && middle < to {
                let width = points[segment + 1].0 - points[segment].0;
                candidates.push((change * width - 2.0 * uncertainty(reports), middle));
            }
        }
    }
    let strongest = candidates.into_iter().max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    (strongest.0 >= LEAST_BEND).then_some(strongest.1)
}

/// Standard error of what three points say of a bend, as a share of the throughput.
fn uncertainty(three: &[&LoadReport]) -> f64 {
    let share = |report: &&LoadReport| {
        let estimate = report.estimates.get(&Metric::OutputTokensPerS);
        estimate.map_or(0.0, |estimate| estimate.standard_error / estimate.value.max(f64::MIN_POSITIVE))
    };
    three.iter().map(share).map(|share| share * share).sum::<f64>().sqrt()
}

/// Speaks of the smallest load whose throughput does not clearly differ from the best.
fn done(curve: &[&LoadReport], why: &str) -> Step {
    let best = curve.iter().map(|report| report.output_tokens_per_s).fold(0.0, f64::max);
    let enough = curve.iter().find(|report| report.output_tokens_per_s >= (1.0 - LEAST_GAIN) * best);
    let load = enough.map(|report| report.offered_load);
    let sentence = match enough {
        Some(report) => format!(
            "{why}; {} reaches {:.0} of at most {best:.0} output tokens/s",
            report.offered_load, report.output_tokens_per_s
        ),
        None => why.to_owned(),
    };
    Step::Done(Conclusion { sentence, load })
}

fn requests(report: &LoadReport) -> u32 {
    report.offered_load.concurrency().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::next;
    use crate::exploration::model::Model;
    use crate::exploration::{Conclusion, Step};

    fn sweep(model: &Model, max_concurrency: u32, max_load_points: usize) -> (Vec<u32>, String, u32) {
        let mut reports = Vec::new();
        loop {
            match next(NonZeroU32::new(max_concurrency).unwrap(), max_load_points, &reports) {
                Step::Measure(load) => reports.push(model.measure(load)),
                Step::Done(Conclusion { sentence, load }) => {
                    let loads =
                        reports.iter().map(|report| report.offered_load.concurrency().unwrap()).collect();
                    return (loads, sentence, load.unwrap().concurrency().unwrap());
                }
            }
            assert!(reports.len() <= max_load_points);
        }
    }

    #[test]
    fn a_sweep_doubles_to_the_plateau_and_then_measures_the_bend() {
        // 40 slots: throughput grows to 40 streams and no further.
        let (loads, sentence, enough) = sweep(&Model { slots: 40.0, noise: 0.0 }, 1024, 12);
        assert_eq!(loads[..7], [1, 2, 4, 8, 16, 32, 64]);
        assert!(sentence.contains("no more throughput") || sentence.contains("wait"), "{sentence}");
        assert!(loads[7..].iter().all(|load| (16..=128).contains(load)), "{loads:?}");
        assert!((38..=48).contains(&enough), "{enough} of {loads:?}");
    }

    #[test]
    fn chance_neither_stops_a_sweep_early_nor_keeps_it_going() {
        for seed in 0..50 {
            let (loads, ..) = sweep(&Model { slots: 40.0, noise: 0.02 + f64::from(seed) * 1e-9 }, 4096, 14);
            let highest = loads.iter().max().unwrap();
            assert!((64..=256).contains(highest), "seed {seed}: {loads:?}");
        }
    }

    #[test]
    fn limits_are_kept_and_told() {
        let (loads, sentence, _) = sweep(&Model { slots: 1e9, noise: 0.0 }, 100, 20);
        assert_eq!(loads, [1, 2, 4, 8, 16, 32, 64, 100]);
        assert!(sentence.contains("highest concurrency"), "{sentence}");
        let (loads, sentence, _) = sweep(&Model { slots: 1e9, noise: 0.0 }, 1000, 3);
        assert_eq!(loads, [1, 2, 4]);
        assert!(sentence.contains("number of load points"), "{sentence}");
    }
}
