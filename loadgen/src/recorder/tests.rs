use std::time::Duration;

use accelbench_core::load::examples::plan;
use accelbench_core::load::{ErrorClass, Measurement, OfferedLoad};
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::slo::Slo;
use accelbench_core::validity::Outcome;
use chrono::{TimeDelta, Utc};

use super::latencies::token_gaps_ms;
use super::{Circumstances, report, tokens_in};
use crate::point::Point;
use crate::sample::{Answer, Arrival, Asked, Failure, Sample};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// An answer of `tokens` tokens: the first after 100 ms, then one each 20 ms.
fn answer(sent_at: Duration, tokens: u64) -> Sample {
    let arrivals: Vec<Arrival> =
        (0..tokens).map(|index| Arrival::new(sent_at + ms(100 + 20 * index), 1)).collect();
    let asked = Asked { input_tokens: Some(50), output_tokens: tokens as u32, known_tokens: 0 };
    let ended_at = arrivals.last().unwrap().at();
    let answer = Answer {
        ended_at,
        arrivals,
        exact: true,
        input_tokens: 50,
        output_tokens: tokens,
        asked,
        text: None,
    };
    Sample { sent_at, outcome: Ok(answer) }
}

fn users(count: u32) -> OfferedLoad {
    OfferedLoad::Concurrency(count.try_into().unwrap())
}

fn circumstances() -> Circumstances {
    Circumstances {
        load_point_index: 0,
        base: Utc::now(),
        loop_lag_p99: ms(1),
        busy_share: Some(0.1),
        clock_drift: TimeDelta::milliseconds(1),
        looks: Vec::new(),
        exact_input: true,
        fresh_prompts: None,
        resent: 0,
        due: None,
        replayed: None,
    }
}

/// A closed loop of one user whose answers take 200 ms, every `fail_each`th request failing at once.
fn measured(fail_each: usize) -> Point {
    let mut point = Point::settled(
        users(1),
        Measurement { min_duration_s: 10.0, min_requests: 10, max_duration_s: 20.0, ramp_up_s: 0.0 },
    );
    let mut now = Duration::ZERO;
    while let Some(ticket) = point.begin(now, now) {
        let sample = if ticket.request % fail_each == fail_each - 1 {
            let failure = Failure { class: ErrorClass::ServerError, message: "500".to_owned() };
            Sample { sent_at: now, outcome: Err(failure) }
        } else {
            answer(now, 6)
        };
        now += ms(200);
        point.end(0, ticket, sample, now);
    }
    point
}

#[test]
fn the_numbers_of_a_known_load_are_found_again() {
    let (plan, point) = (plan(), measured(usize::MAX));
    let report = report(&plan, &point, &circumstances()).unwrap();
    report.validate(&plan).unwrap();
    assert_eq!((report.ttft_ms.p50, report.e2e_ms.p99), (100.0, 200.0));
    assert!((report.itl_ms.mean - 20.0).abs() < 1e-9 && (report.tpot_ms.p50 - 20.0).abs() < 1e-9);
    assert!((report.requests_per_s - 5.0).abs() < 0.11, "{}", report.requests_per_s);
    assert!((report.output_tokens_per_s - 30.0).abs() < 0.7, "{}", report.output_tokens_per_s);
    assert!((report.request_output_tokens_per_s.p50 - 30.0).abs() < 1e-9);
    assert!((report.concurrency_mean - 1.0).abs() < 1e-9);
    assert_eq!((report.window_s, report.failed()), (10.0, 0));
}

#[test]
fn failed_requests_are_in_the_error_share_and_in_no_latency() {
    let (plan, point) = (plan(), measured(10));
    let report = report(&plan, &point, &circumstances()).unwrap();
    assert_eq!(report.requests_failed[&ErrorClass::ServerError], 5);
    assert!((report.error_share() - 0.1).abs() < 1e-9);
    assert_eq!((report.e2e_ms.min, report.e2e_ms.count), (200.0, report.requests_completed));
    let check = report.checks.iter().find(|check| check.name == "error_share").unwrap();
    assert_eq!(check.outcome, Outcome::Fail);
}

#[test]
fn tokens_that_arrive_together_share_the_gap_before_them() {
    let mut sample = answer(Duration::ZERO, 2);
    let answer = sample.outcome.as_mut().unwrap();
    answer.arrivals = vec![Arrival::new(ms(100), 4), Arrival::new(ms(180), 4)];
    assert_eq!(token_gaps_ms(answer).collect::<Vec<_>>(), [20.0; 4]);
}

#[test]
fn a_load_point_without_answers_has_no_report() {
    let mut point = measured(usize::MAX);
    point.samples.clear();
    let error = report(&plan(), &point, &circumstances()).unwrap_err().to_string();
    assert!(error.contains("nothing to report"), "{error}");
}

#[test]
fn answers_longer_than_the_window_say_what_to_do() {
    let mut point = Point::settled(
        users(2),
        Measurement { min_duration_s: 1.0, min_requests: 0, max_duration_s: 1.0, ramp_up_s: 0.0 },
    );
    for (user, second) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let sent_at = ms(1000 * second);
        let ticket = point.begin(sent_at, sent_at).unwrap();
        point.end(user, ticket, answer(sent_at, 6), sent_at + ms(1000));
    }
    let ticket = point.begin(ms(2000), ms(2000)).unwrap();
    point.look(ms(3000));
    point.end(0, ticket, answer(ms(2000), 1000), ms(22_100));
    let error = report(&plan(), &point, &circumstances()).unwrap_err().to_string();
    assert!(error.contains("measure for longer"), "{error}");
}

#[test]
fn what_arrives_in_the_window_counts_whenever_its_request_began() {
    let early = answer(ms(500), 10);
    let tokens = tokens_in((ms(700), ms(740)), [&early].into_iter());
    assert!((tokens - 2.0).abs() < 1e-9, "{tokens}");
}

#[test]
fn prompts_that_were_sent_before_are_told() {
    let (plan, point) = (plan(), measured(usize::MAX));
    let about = Circumstances { fresh_prompts: Some(30), ..circumstances() };
    let report = report(&plan, &point, &about).unwrap();
    let check = report.checks.iter().find(|check| check.name == "prompts_fresh").unwrap();
    assert_eq!(check.outcome, Outcome::Warn);
    assert!(check.sentence.contains("30 of 60"), "{}", check.sentence);
}

#[test]
fn rates_are_sure_when_nothing_is_left_to_chance() {
    let (plan, point) = (plan(), measured(usize::MAX));
    let report = report(&plan, &point, &circumstances()).unwrap();
    let rate = report.estimates[&Metric::RequestsPerS];
    assert!(rate.standard_error < 0.01 * rate.value, "{rate:?}");
    assert!(report.estimates.contains_key(&Metric::Latency(Latency::Itl, Statistic::P50)));
    // 50 requests are too few for the 90th percentile.
    assert!(!report.estimates.contains_key(&Metric::Latency(Latency::Ttft, Statistic::P90)));
    let series = report.time_series.unwrap();
    assert_eq!(series.requests_sent.iter().sum::<u32>(), 50);
    assert!((series.in_flight_mean.iter().sum::<f64>() - 60.0).abs() < 0.5);
    let distribution = report.distributions.unwrap().ttft.histogram().unwrap();
    assert_eq!((distribution.len(), distribution.min()), (50, 99_968), "to three digits");
}

#[test]
fn goodput_counts_the_requests_that_keep_every_limit() {
    let (mut plan, point) = (plan(), measured(10));
    for (limit, share) in [("e2e_p99_ms<=200", 0.9), ("ttft_p50_ms<=99", 0.0), ("itl_p99_ms<=20.001", 0.9)] {
        plan.slo = Some(Slo::new(vec![limit.parse().unwrap()]).unwrap());
        let goodput = report(&plan, &point, &circumstances()).unwrap().goodput.unwrap();
        assert!((goodput.share - share).abs() < 1e-9, "{limit}: {goodput:?}");
        assert!((goodput.requests_per_s - 5.0 * share).abs() < 1e-9, "{limit}: {goodput:?}");
    }
}

#[test]
fn too_few_requests_are_told_by_the_percentiles_that_they_do_not_carry() {
    let report = report(&plan(), &measured(usize::MAX), &circumstances()).unwrap();
    let check = report.checks.iter().find(|check| check.name == "sample_size").unwrap();
    assert_eq!(check.outcome, Outcome::Warn);
    assert_eq!(check.sentence, "50 requests were completed: p90 wants 100, p95 wants 200, p99 wants 1000");
}

#[test]
fn a_trace_that_began_again_before_its_end_is_told() {
    for (replayed, outcome) in
        [((30, 500), Outcome::Warn), ((30, 30), Outcome::Pass), ((100, 500), Outcome::Pass)]
    {
        let about = Circumstances { replayed: Some(replayed), ..circumstances() };
        let report = report(&plan(), &measured(usize::MAX), &about).unwrap();
        let check = report.checks.iter().find(|check| check.name == "trace_whole").unwrap();
        assert_eq!(check.outcome, outcome, "{}", check.sentence);
    }
}
