//! A search doubles the load until the SLO is missed (or halves it until it is met), and then halves the bracket.

use super::{Axis, Conclusion, Step};
use crate::load::LoadReport;
use crate::slo::{Slo, Verdict};

/// The bracket is narrow enough when its ends differ by this share.
const NARROW: f64 = 0.05;

/// The lowest request rate that is tried.
const LEAST_RATE: f64 = 0.01;

pub(super) fn next(axis: Axis, max: f64, max_load_points: usize, slo: &Slo, measured: &[LoadReport]) -> Step {
    let max = if matches!(axis, Axis::Concurrency) { max.floor() } else { max };
    let positions = |wanted: Verdict| {
        let of = measured.iter().filter(move |report| slo.verdict(report) == wanted);
        of.filter_map(|report| axis.position(report.offered_load))
    };
    let missed = positions(Verdict::Missed).reduce(f64::min);
    // Chance may let a higher load pass than one that missed: only what lies below every miss counts.
    let met = positions(Verdict::Met).filter(|at| missed.is_none_or(|missed| *at < missed)).reduce(f64::max);
    let at = match (met, missed) {
        (None, None) => Some(1.0_f64.min(max)),
        (Some(met), None) => (met < max).then(|| (2.0 * met).min(max)),
        (None, Some(missed)) => below(axis, missed),
        (Some(met), Some(missed)) => between(axis, met, missed),
    };
    match at {
        Some(at) if measured.len() < max_load_points => Step::Measure(axis.load(at)),
        _ => done(axis, slo, met, missed, at.is_some(), max),
    }
}

fn below(axis: Axis, missed: f64) -> Option<f64> {
    let least = match axis {
        Axis::Concurrency => 1.0,
        Axis::RequestRate { .. } => LEAST_RATE,
    };
    let half = missed / 2.0;
    (half >= least).then_some(half)
}

/// The middle of a bracket; `None` when it is narrow enough.
fn between(axis: Axis, met: f64, missed: f64) -> Option<f64> {
    let middle = f64::midpoint(met, missed);
    match axis {
        Axis::Concurrency => {
            let middle = middle.floor();
            (middle > met && missed > met * (1.0 + NARROW)).then_some(middle)
        }
        // Three digits are enough for a rate, and read better.
        Axis::RequestRate { .. } => (missed > met * (1.0 + NARROW)).then(|| three_digits(middle)),
    }
}

fn three_digits(value: f64) -> f64 {
    let scale = 10.0_f64.powi(2 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

fn done(axis: Axis, slo: &Slo, met: Option<f64>, missed: Option<f64>, more: bool, max: f64) -> Step {
    let load = met.map(|at| axis.load(at));
    let sentence = match (load, missed) {
        (None, _) => format!("no load that was tried keeps {slo}"),
        (Some(load), None) if more => {
            format!("{load} keeps {slo}; the number of load points was reached before a load that does not")
        }
        (Some(load), None) => format!("{load} keeps {slo}, and more than {max} was not to be tried"),
        (Some(load), Some(missed)) => {
            let how = if more { "; the number of load points was reached" } else { "" };
            format!("{load} keeps {slo}, {} does not{how}", axis.load(missed))
        }
    };
    Step::Done(Conclusion { sentence, load })
}

#[cfg(test)]
mod tests {
    use super::{next, three_digits};
    use crate::exploration::model::Model;
    use crate::exploration::{Axis, Conclusion, Step};
    use crate::load::{Arrivals, OfferedLoad};
    use crate::slo::Slo;

    fn search(axis: Axis, max: f64, limit: &str) -> (usize, String, Option<OfferedLoad>) {
        search_in(axis, max, limit, 20)
    }

    fn search_in(axis: Axis, max: f64, limit: &str, most: usize) -> (usize, String, Option<OfferedLoad>) {
        let slo = Slo::new(vec![limit.parse().unwrap()]).unwrap();
        let (model, mut reports) = (Model { slots: 40.0, noise: 0.0 }, Vec::new());
        loop {
            match next(axis, max, most, &slo, &reports) {
                Step::Measure(load) => reports.push(model.measure(load)),
                Step::Done(Conclusion { sentence, load }) => return (reports.len(), sentence, load),
            }
        }
    }

    #[test]
    fn the_highest_concurrency_is_found() {
        // The model's time to first token is 100 ms to 40 streams, and grows by 100 ms for each 40 more.
        let (points, sentence, load) = search(Axis::Concurrency, 1024.0, "ttft_p95_ms<=200");
        let found = load.unwrap().concurrency().unwrap();
        assert!((75..=80).contains(&found), "{found}: {sentence}");
        assert!(points <= 13 && sentence.contains("does not"), "{points}: {sentence}");
    }

    #[test]
    fn rates_are_halved_where_one_a_second_is_too_much() {
        let axis = Axis::RequestRate { arrivals: Arrivals::Poisson };
        let (_, sentence, load) = search(axis, 100.0, "ttft_p95_ms<=100.001");
        let found = load.unwrap().request_rate().unwrap().per_s;
        assert!(found > 0.01 && found < 1.0, "{found}: {sentence}");
    }

    #[test]
    fn what_no_load_keeps_or_every_load_keeps_is_said() {
        let (points, sentence, load) = search(Axis::Concurrency, 64.0, "ttft_p50_ms<=1");
        assert!(points == 1 && load.is_none() && sentence.contains("no load"), "{sentence}");
        let (_, sentence, load) = search(Axis::Concurrency, 64.0, "ttft_p50_ms<=100000");
        assert_eq!(load.unwrap().concurrency(), Some(64));
        assert!(sentence.contains("more than 64 was not"), "{sentence}");
        let (points, sentence, _) = search(Axis::Concurrency, 1.5, "ttft_p50_ms<=100000");
        assert!(points == 1 && sentence.contains("more than 1 was not"), "{points}: {sentence}");
        let (_, sentence, _) = search_in(Axis::Concurrency, 64.0, "ttft_p50_ms<=100000", 3);
        assert!(sentence.contains("number of load points"), "{sentence}");
    }

    #[test]
    fn rates_have_three_digits() {
        assert_eq!(
            [1.2345, 98.765, 0.012_345].map(three_digits).map(|rate| rate.to_string()),
            ["1.23", "98.8", "0.0123"]
        );
    }
}
