//! Recommendations worked out by hand, and what must hold for any curve.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::DateTime;
use proptest::prelude::{Just, Strategy as _, any, prop_assert, prop_oneof, proptest};
use uuid::Uuid;

use super::{
    Basis, Candidate, Certainty, Configuration, Evidence, Loss, Point, Question, Recommendation, recommend,
};
use crate::cost::{OutputWeight, Throughput};
use crate::engine::EngineKind;
use crate::load::{Arrivals, OfferedLoad, RequestRate};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::price::HourlyPrice;
use crate::result::{Origin, ResultId};
use crate::slo::Slo;
use crate::stats::Estimate;
use crate::validity::Outcome;

fn concurrency(requests: u32) -> OfferedLoad {
    OfferedLoad::Concurrency(NonZeroU32::new(requests).unwrap())
}

fn ttft_p95() -> Metric {
    "ttft_p95_ms".parse().unwrap()
}

/// 500 input and 100 output tokens a request.
fn point(requests: u32, requests_per_s: f64, ttft_p95_ms: f64) -> Point {
    Point {
        result: Evidence::Result(ResultId(Uuid::from_u128(u128::from(requests)))),
        offered_load: concurrency(requests),
        throughput: Throughput {
            input_tokens_per_s: 500.0 * requests_per_s,
            output_tokens_per_s: 100.0 * requests_per_s,
            requests_per_s,
        },
        latencies: BTreeMap::from([(ttft_p95(), ttft_p95_ms)]),
        estimates: BTreeMap::new(),
        error_share: 0.0,
        validity: Outcome::Pass,
        recorded_at: DateTime::UNIX_EPOCH,
        origin: Origin::Measured,
    }
}

fn candidate(instance_type: &str, per_hour: f64, points: Vec<Point>) -> Candidate {
    Candidate {
        configuration: Configuration {
            model: "meta-llama/Llama-3.1-8B".parse().unwrap(),
            revision: Observed::absent("not stated"),
            instance_type: instance_type.parse().unwrap(),
            quantization: Observed::absent("not stated"),
            tensor_parallel: 1,
            engine: EngineKind::Vllm,
            engine_version: Observed::absent("not stated"),
        },
        points,
        price: Observed::Value(HourlyPrice { per_hour, upfront: 0.0 }),
    }
}

fn question(limits: &[&str], target_requests_per_s: f64) -> Question {
    let slo = Slo::new(limits.iter().map(|limit| limit.parse().unwrap()).collect()).unwrap();
    Question { slo, target_requests_per_s, output_weight: OutputWeight::default() }
}

fn asked(target: f64) -> Question {
    question(&["ttft_p95_ms<=500"], target)
}

/// One request at a time to eight: the limit of 500 ms is reached at six tenths of the way from four to eight.
fn curve() -> Vec<Point> {
    vec![point(8, 3.0, 700.0), point(1, 1.0, 100.0), point(4, 2.0, 200.0), point(2, 1.5, 150.0)]
}

fn choices(recommendation: &Recommendation) -> Vec<(&str, u32)> {
    let Recommendation::Found { choices, .. } = recommendation else { panic!("{recommendation:?}") };
    choices.iter().map(|it| (it.configuration.instance_type.as_str(), it.projection.replicas)).collect()
}

fn losses(recommendation: &Recommendation) -> Vec<Loss> {
    recommendation.losers().into_iter().map(|it| it.loss).collect()
}

#[test]
fn the_rate_is_read_off_between_the_points_around_the_limit() {
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, curve())], &asked(10.0));
    let best = answer.best().unwrap();
    // 2 + 0.6 x (3 - 2) = 2.6 requests/s each: 10 / 2.6 = 3.85, four replicas at 2 x 730 a month.
    let rate = best.sustainable.throughput.requests_per_s;
    assert!((rate - 2.6).abs() < 1e-12, "{best:?}");
    assert_eq!(best.projection.replicas, 4);
    assert!((best.per_month - 5840.0).abs() < 1e-9, "{best:?}");
    assert!((best.projection.headroom_share - (1.0 - 10.0 / 10.4)).abs() < 1e-12, "{best:?}");
    // 8 an hour for 10 x 100 tokens a second: 8 / 3.6 a million; 8 / 36,000 a request.
    let output = *best.costs.per_million_output_tokens.value().unwrap();
    assert!((output - 8.0 / 3.6).abs() < 1e-9, "{output}");
    assert!((best.costs.per_request.value().unwrap() - 8.0 / 36_000.0).abs() < 1e-12);
    let Basis::Interpolated { keeps, misses, .. } = &best.sustainable.basis else { panic!("{best:?}") };
    assert_eq!((keeps.offered_load, misses.offered_load), (concurrency(4), concurrency(8)));
    assert_eq!(
        best.to_string(),
        "4 x g6e.xlarge for 5840.00 a month, with 4 % headroom: each bears 2.600 requests/s within the SLO, \
         interpolated between concurrency 4 (2.000 requests/s), which keeps it, and concurrency 8 (3.000 requests/s), \
         which does not"
    );
}

#[test]
fn the_cheapest_month_wins_and_the_others_say_by_how_much_they_lose() {
    let fast = vec![point(1, 4.0, 50.0), point(8, 20.0, 100.0), point(16, 20.0, 900.0)];
    let slow = vec![point(1, 0.1, 900.0)];
    let wrong = vec![Point { validity: Outcome::Fail, ..point(1, 99.0, 1.0) }];
    let unpriced = Candidate {
        price: Observed::absent("AWS sells no on-demand trn2.48xlarge"),
        ..candidate("trn2.48xlarge", 1.0, curve())
    };
    let candidates = [
        candidate("p5.48xlarge", 55.04, fast),
        candidate("g6e.xlarge", 2.0, curve()),
        candidate("g5.xlarge", 1.0, slow),
        candidate("g6.xlarge", 0.8, wrong),
        unpriced,
        candidate("inf2.xlarge", 0.7, Vec::new()),
    ];
    let answer = recommend(&candidates, &asked(10.0));
    assert_eq!(choices(&answer), [("g6e.xlarge", 4), ("p5.48xlarge", 1)]);
    let losses = losses(&answer);
    assert!(matches!(losses[0], Loss::Dearer { share, .. } if (share - (55.04 / 8.0 - 1.0)).abs() < 1e-9));
    assert!(matches!(losses[1], Loss::TooSlow { measured_ms: 900.0, limit_ms: 500.0, .. }), "{losses:?}");
    assert_eq!(losses[2], Loss::InvalidMeasurements { measurements: 1 });
    assert!(matches!(&losses[3], Loss::NoPrice { reason } if reason.contains("trn2")), "{losses:?}");
    assert_eq!(losses[4], Loss::Unmeasured);
    let Recommendation::Found { to_run, .. } = &answer else { panic!("{answer:?}") };
    let to_run: Vec<&str> = to_run.iter().map(|it| it.configuration.instance_type.as_str()).collect();
    assert_eq!(to_run, ["g6.xlarge", "inf2.xlarge"]);
    assert_eq!(choices(&recommend(&candidates, &asked(100.0))), [("g6e.xlarge", 39), ("p5.48xlarge", 5)]);
}

#[test]
fn the_load_that_was_measured_last_is_not_exceeded() {
    let points = vec![point(1, 1.0, 100.0), point(4, 2.0, 200.0)];
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, points)], &asked(10.0));
    let Recommendation::Found { choices, to_run, .. } = &answer else { panic!("{answer:?}") };
    assert!((choices[0].sustainable.throughput.requests_per_s - 2.0).abs() < 1e-12);
    assert!(choices[0].sustainable.ends_the_curve && to_run.len() == 1, "it may bear more: {answer:?}");
    assert!(choices[0].to_string().ends_with("measured at concurrency 4; no higher load was measured"));
    let saturated =
        vec![point(1, 1.0, 100.0), point(4, 2.0, 200.0), point(8, 2.0, 400.0), point(9, 1.9, 450.0)];
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, saturated)], &asked(10.0));
    assert!(!answer.best().unwrap().sustainable.ends_the_curve, "more load brings no more: {answer:?}");
}

#[test]
fn a_lucky_point_beyond_a_miss_does_not_count() {
    let points = vec![point(1, 1.0, 100.0), point(2, 1.5, 600.0), point(4, 3.0, 300.0)];
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, points)], &asked(1.0));
    let rate = answer.best().unwrap().sustainable.throughput.requests_per_s;
    assert!((rate - 1.4).abs() < 1e-12, "{rate}");
}

#[test]
fn of_two_points_at_one_load_the_worse_one_counts() {
    let repeated = Point { result: Evidence::Result(ResultId(Uuid::from_u128(99))), ..point(4, 2.1, 800.0) };
    let orders = [
        [point(1, 1.0, 100.0), point(4, 2.0, 200.0), repeated.clone()],
        [repeated, point(4, 2.0, 200.0), point(1, 1.0, 100.0)],
    ];
    for points in orders {
        let answer = recommend(&[candidate("g6e.xlarge", 2.0, points.to_vec())], &asked(1.0));
        // From 1 towards 2.1 requests/s, four sevenths of the way.
        let rate = answer.best().unwrap().sustainable.throughput.requests_per_s;
        assert!((rate - (1.0 + 1.1 * 4.0 / 7.0)).abs() < 1e-12, "{rate}");
    }
}

#[test]
fn kinds_of_load_make_curves_of_their_own() {
    let open = |per_s: f64, ttft_p95_ms: f64| Point {
        offered_load: OfferedLoad::RequestRate(RequestRate { per_s, arrivals: Arrivals::Poisson }),
        ..point(1, per_s, ttft_p95_ms)
    };
    let points = [curve(), vec![open(1.0, 100.0), open(2.8, 300.0)]].concat();
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, points)], &asked(1.0));
    let best = answer.best().unwrap();
    assert!((best.sustainable.throughput.requests_per_s - 2.8).abs() < 1e-12, "{best:?}");
    assert!(matches!(best.sustainable.basis, Basis::Measured { .. }));
}

#[test]
fn failures_are_no_place_to_interpolate_to() {
    let failing = Point { error_share: 0.2, ..point(8, 3.0, 700.0) };
    let points = vec![point(1, 1.0, 100.0), point(4, 2.0, 200.0), failing.clone()];
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, points)], &asked(1.0));
    let rate = answer.best().unwrap().sustainable.throughput.requests_per_s;
    assert!((rate - 2.0).abs() < 1e-12, "{rate}");
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, vec![failing])], &asked(1.0));
    assert!(matches!(losses(&answer)[..], [Loss::RequestsFail { .. }]), "{answer:?}");
}

#[test]
fn too_little_data_is_told_from_nothing_that_meets() {
    let answer = recommend(&[], &asked(1.0));
    assert!(matches!(answer, Recommendation::NotEnoughData { .. }), "{answer:?}");
    // A single request is too slow: no lower load is left to try.
    let answer = recommend(&[candidate("g5.xlarge", 1.0, vec![point(1, 0.1, 900.0)])], &asked(1.0));
    assert!(matches!(answer, Recommendation::NothingMeets { .. }), "{answer:?}");
    let answer = recommend(&[candidate("g5.xlarge", 1.0, vec![point(16, 1.0, 900.0)])], &asked(1.0));
    let Recommendation::NotEnoughData { to_run, .. } = answer else {
        panic!("a lower load may do: {answer:?}")
    };
    assert_eq!(to_run.len(), 1);
    let question = question(&["ttft_p95_ms<=500", "itl_p99_ms<=50"], 1.0);
    let answer = recommend(&[candidate("g5.xlarge", 1.0, curve())], &question);
    assert!(matches!(answer, Recommendation::NotEnoughData { .. }), "{answer:?}");
    assert!(losses(&answer)[0].to_string().contains("itl_p99_ms was not measured"));
}

#[test]
fn how_sure_it_is_is_said() {
    let sure = |high: f64| {
        let estimate =
            |low, value, high| Estimate { value, standard_error: 1.0, degrees_of_freedom: 19.0, low, high };
        let estimates = BTreeMap::from([
            (ttft_p95(), estimate(180.0, 200.0, high)),
            (Metric::RequestsPerS, estimate(1.9, 2.0, 2.1)),
        ]);
        let points = vec![Point { estimates, validity: Outcome::Warn, ..point(4, 2.0, 200.0) }];
        recommend(&[candidate("g6e.xlarge", 2.0, points)], &asked(1.0)).best().unwrap().sustainable.clone()
    };
    assert_eq!(sure(220.0).certainty, Certainty::Clear);
    assert_eq!(sure(520.0).certainty, Certainty::WithinError);
    assert_eq!(sure(220.0).requests_per_s_interval, Some((1.9, 2.1)));
    assert_eq!(sure(220.0).basis.validity(), Outcome::Warn);
    let unsure = recommend(&[candidate("g6e.xlarge", 2.0, curve())], &asked(1.0));
    assert_eq!(unsure.best().unwrap().sustainable.certainty, Certainty::Unknown);
}

#[test]
fn a_target_that_is_none_gives_no_choice() {
    for target in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        let answer = recommend(&[candidate("g6e.xlarge", 2.0, curve())], &asked(target));
        assert!(matches!(losses(&answer)[..], [Loss::NoProjection { .. }]), "{target}: {answer:?}");
    }
}

#[test]
fn the_answer_survives_json() {
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, curve())], &asked(10.0));
    let json = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<Recommendation>(&json).unwrap(), answer);
}

fn rate_of(points: Vec<Point>, limit_ms: f64) -> Option<f64> {
    let question = question(&[&format!("ttft_p95_ms<={limit_ms}")], 1.0);
    let answer = recommend(&[candidate("g6e.xlarge", 2.0, points)], &question);
    answer.best().map(|best| best.sustainable.throughput.requests_per_s)
}

proptest! {
    #[test]
    fn nothing_is_extrapolated(
        curve in proptest::collection::vec((1_u32..500, 0.01_f64..50.0, 1.0_f64..2000.0), 1..12),
        limit_ms in 1.0_f64..2000.0,
    ) {
        let points: Vec<Point> = curve.iter().map(|&(load, rate, ttft)| point(load, rate, ttft)).collect();
        let highest = points.iter().map(|it| it.throughput.requests_per_s).fold(0.0, f64::max);
        let lowest = points.iter().map(|it| it.throughput.requests_per_s).fold(f64::MAX, f64::min);
        if let Some(rate) = rate_of(points, limit_ms) {
            prop_assert!(rate <= highest && rate >= lowest, "{rate} of {lowest} to {highest}");
        }
    }

    #[test]
    fn a_looser_limit_never_lowers_the_rate_of_a_growing_curve(
        steps in proptest::collection::vec((1_u32..50, 0.01_f64..5.0, 0.1_f64..200.0), 1..10),
        limit_ms in 1.0_f64..1000.0,
        looser in 1.0_f64..3.0,
    ) {
        let (mut load, mut rate, mut ttft) = (0, 0.0, 0.0);
        let mut points = Vec::new();
        for (more_load, more_rate, more_ttft) in steps {
            (load, rate, ttft) = (load + more_load, rate + more_rate, ttft + more_ttft);
            points.push(point(load, rate, ttft));
        }
        let (tight, loose) = (rate_of(points.clone(), limit_ms), rate_of(points, limit_ms * looser));
        prop_assert!(loose.unwrap_or(0.0) >= tight.unwrap_or(0.0) * (1.0 - 1e-12), "{tight:?} {loose:?}");
    }

    #[test]
    fn odd_numbers_never_panic(
        numbers in proptest::array::uniform4(prop_oneof![any::<f64>(), Just(0.0), (0.1_f64..10.0).boxed()]),
        load in 1_u32..10,
    ) {
        let [rate, ttft, per_hour, target] = numbers;
        let points = vec![point(load, rate, ttft), point(5, 2.0, 200.0)];
        let answer = recommend(&[candidate("g6e.xlarge", per_hour, points)], &asked(target));
        if let Some(best) = answer.best() {
            prop_assert!(best.per_month.is_finite() && best.per_month > 0.0);
            prop_assert!(!best.to_string().contains("NaN"));
        }
    }
}
