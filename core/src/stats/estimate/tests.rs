//! How often the intervals cover the truth, by simulation. Each case draws many sequences from a process whose truth is
//! known in closed form; seeds are fixed, so that the tests say the same each time.

use std::f64::consts::LN_2;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, Exp1, StandardNormal};

use super::{BATCHES, Batch, Estimate, at_share};
use crate::stats::{Difference, Summary, Verdict};

/// Sequences drawn in each case: the share covered is then known to about 1 % (one standard deviation).
const SEQUENCES: u64 = 600;

/// Service times whose logarithm is a first-order autoregression: `alike` is the correlation of neighbours, 0.4 the
/// standard deviation, 0 the mean of the logarithm.
fn lognormal(seed: u64, count: usize, alike: f64) -> Vec<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let mut state = normal();
    let mut next = || {
        state = alike * state + (1.0 - alike * alike).sqrt() * normal();
        (0.4 * state).exp()
    };
    (0..count).map(|_| next()).collect()
}

/// Times in a queue with one server, half of the time busy, from its steady state on: exponential with mean 2.
fn queue(seed: u64, count: usize) -> Vec<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut exponential = || -> f64 { Exp1.sample(&mut random) };
    let mut in_system: f64 = 2.0 * exponential();
    let mut next = || {
        let now = in_system;
        in_system = (in_system - 2.0 * exponential()).max(0.0) + exponential();
        now
    };
    (0..count).map(|_| next()).collect()
}

/// Share of the sequences whose interval covers `truth`, and share that have an interval.
fn covered(
    draw: impl Fn(u64) -> Vec<f64>,
    estimate: impl Fn(&[f64]) -> Option<Estimate>,
    truth: f64,
) -> (f64, f64) {
    let estimates: Vec<Estimate> = (0..SEQUENCES).filter_map(|seed| estimate(&draw(seed))).collect();
    let covering =
        estimates.iter().filter(|estimate| (estimate.low..=estimate.high).contains(&truth)).count();
    (covering as f64 / estimates.len() as f64, estimates.len() as f64 / SEQUENCES as f64)
}

fn assert_covers(case: &str, (covered, supported): (f64, f64)) {
    assert!(supported > 0.9, "{case}: only {supported} of the sequences have an interval");
    assert!((0.92..=0.98).contains(&covered), "{case}: {covered} of the 95 % intervals cover the truth");
}

/// exp(mean + variance / 2).
const LOGNORMAL_MEAN: f64 = 1.083_287_067_674_958_6;
const LOGNORMAL_MEDIAN: f64 = 1.0;
/// exp(0.4 * 1.2816).
const LOGNORMAL_P90: f64 = 1.669_661_3;
/// exp(0.4 * 2.3263).
const LOGNORMAL_P99: f64 = 2.535_971_9;

#[test]
fn intervals_of_means_cover_the_truth() {
    for (count, alike) in [(200, 0.0), (200, 0.5), (200, 0.8), (1000, 0.9), (3000, 0.9)] {
        let found = covered(|seed| lognormal(seed, count, alike), Estimate::of_mean, LOGNORMAL_MEAN);
        assert_covers(&format!("{count} requests, {alike} alike"), found);
    }
    assert_covers("a queue", covered(|seed| queue(seed, 2000), Estimate::of_mean, 2.0));
}

#[test]
fn intervals_of_percentiles_cover_the_truth() {
    for (count, alike, percent, truth) in [
        (200, 0.0, 50, LOGNORMAL_MEDIAN),
        (200, 0.5, 50, LOGNORMAL_MEDIAN),
        (500, 0.0, 90, LOGNORMAL_P90),
        (500, 0.5, 90, LOGNORMAL_P90),
        (1000, 0.9, 50, LOGNORMAL_MEDIAN),
        (1000, 0.0, 99, LOGNORMAL_P99),
        (3000, 0.5, 99, LOGNORMAL_P99),
    ] {
        let draw = |seed| lognormal(seed, count, alike);
        let found = covered(draw, |samples| Estimate::of_percentile(samples, percent), truth);
        assert_covers(&format!("p{percent} of {count} requests, {alike} alike"), found);
    }
    let median = 2.0 * LN_2;
    let found = covered(|seed| queue(seed, 2000), |samples| Estimate::of_percentile(samples, 50), median);
    assert_covers("the median of a queue", found);
}

#[test]
fn token_gaps_are_as_sure_as_their_requests_and_not_as_their_number() {
    // Each request has a speed of its own, and a hundred gaps of that speed.
    let draw = |seed| lognormal(seed, 500, 0.5);
    let estimate = |speeds: &[f64]| {
        let requests: Vec<Vec<f64>> = speeds.iter().map(|&speed| vec![speed; 100]).collect();
        let mut sorted = requests.concat();
        sorted.sort_unstable_by(f64::total_cmp);
        Estimate::of_grouped_percentile(&requests, Clone::clone, &sorted, 90)
    };
    assert_covers("gaps", covered(draw, estimate, LOGNORMAL_P90));
}

#[test]
fn rates_of_a_poisson_stream_are_covered() {
    let estimate = |gaps: &[f64]| {
        let (mut now, mut batches) = (0.0, [Batch { sum: 0.0, weight: 5.0 }; BATCHES]);
        for gap in gaps {
            now += gap;
            if let Some(batch) = batches.get_mut((now / 5.0) as usize) {
                batch.sum += 1.0;
            }
        }
        Estimate::of_ratio(&batches)
    };
    let draw = |seed| -> Vec<f64> {
        let mut random = StdRng::seed_from_u64(seed);
        (0..400).map(|_| Exp1.sample(&mut random)).collect()
    };
    assert_covers("events per second", covered(draw, estimate, 1.0));
}

/// As many as a load point that shows a p99 has.
const REQUESTS: usize = 1000;

/// Compares sequences with `factor` between them, and counts the verdicts.
fn verdicts(alike: f64, factor: f64) -> [u64; 3] {
    let mut counts = [0; 3];
    for seed in 0..SEQUENCES {
        let base = Estimate::of_mean(&lognormal(2 * seed, REQUESTS, alike)).unwrap();
        let other: Vec<f64> =
            lognormal(2 * seed + 1, REQUESTS, alike).iter().map(|sample| sample * factor).collect();
        let difference = Difference::between(&base, &Estimate::of_mean(&other).unwrap());
        counts[difference.verdict as usize] += 1;
    }
    counts
}

#[test]
fn equal_ones_are_called_equal_at_the_promised_rate() {
    for alike in [0.0, 0.5, 0.8] {
        let equal = verdicts(alike, 1.0)[Verdict::NoClearDifference as usize] as f64 / SEQUENCES as f64;
        assert!((0.92..=0.985).contains(&equal), "{alike} alike: {equal}");
    }
}

#[test]
fn a_tenth_more_is_found() {
    for (alike, at_least) in [(0.0, 0.99), (0.3, 0.9)] {
        let [lower, _, higher] = verdicts(alike, 1.1).map(|count| count as f64 / SEQUENCES as f64);
        assert!(higher >= at_least && lower < 0.001, "{alike} alike: found in {higher}");
    }
}

#[test]
fn too_few_samples_have_no_interval() {
    let samples = lognormal(1, 199, 0.0);
    assert_eq!(Estimate::of_mean(&samples[..BATCHES - 1]), None);
    assert_eq!(Estimate::of_percentile(&samples, 99), None);
    assert_eq!(Estimate::of_percentile(&samples[..99], 90), None);
    assert!(Estimate::of_percentile(&samples, 90).is_some());
    assert_eq!(Estimate::of_percentile(&[], 50), None);
    assert_eq!(Estimate::of_ratio(&[]), None);
}

#[test]
fn equal_samples_are_certain() {
    let estimate = Estimate::of_mean(&[3.0; 100]).unwrap();
    assert_eq!((estimate.value, estimate.low, estimate.high), (3.0, 3.0, 3.0));
    let median = Estimate::of_percentile(&[3.0; 100], 50).unwrap();
    assert_eq!((median.value, median.low, median.high), (3.0, 3.0, 3.0));
}

proptest! {
    #[test]
    fn percentiles_are_those_of_the_summary(
        samples in proptest::collection::vec(0.0_f64..1e6, 1..400), percent in prop::sample::select(vec![50_u8, 90, 95, 99])
    ) {
        let mut sorted = samples.clone();
        let summary = Summary::of(&mut sorted).unwrap();
        let expected = match percent { 50 => summary.p50, 90 => summary.p90, 95 => summary.p95, _ => summary.p99 };
        prop_assert_eq!(at_share(&sorted, f64::from(percent) / 100.0), Some(expected));
        if let Some(estimate) = Estimate::of_percentile(&samples, percent) {
            prop_assert!((estimate.value - expected).abs() < 1e-12);
            prop_assert!(estimate.is_sane());
        }
    }

    #[test]
    fn the_summary_is_that_of_a_naive_count(samples in proptest::collection::vec(0.0_f64..1e3, 1..200)) {
        let summary = Summary::of(&mut samples.clone()).unwrap();
        for (percent, value) in [(50, summary.p50), (90, summary.p90), (95, summary.p95), (99, summary.p99)] {
            let reaches = |value: f64| {
                samples.iter().filter(|&&sample| sample <= value).count() * 100 >= percent * samples.len()
            };
            let naive = samples.iter().copied().filter(|&value| reaches(value)).fold(f64::INFINITY, f64::min);
            prop_assert!((value - naive).abs() < 1e-12);
        }
    }

    #[test]
    fn nothing_makes_an_insane_estimate(seed in any::<u64>(), count in 0_usize..300, scale in -12_i32..12) {
        let mut random = StdRng::seed_from_u64(seed);
        let samples: Vec<f64> =
            (0..count).map(|_| random.random_range(0.0..1.0) * 10_f64.powi(scale)).collect();
        for estimate in [Estimate::of_mean(&samples), Estimate::of_percentile(&samples, 90)].into_iter().flatten() {
            prop_assert!(estimate.is_sane(), "{:?}", estimate);
        }
    }
}
