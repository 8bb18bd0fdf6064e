use std::time::Duration;

use accelbench_core::load::{Arrivals, ErrorClass, LoadStage, Measurement, OfferedLoad, RequestRate};

use super::{Point, Ticket};
use crate::sample::{Answer, Asked, Failure, Sample};

fn users(count: u32) -> OfferedLoad {
    OfferedLoad::Concurrency(count.try_into().unwrap())
}

fn measurement() -> Measurement {
    Measurement { min_duration_s: 10.0, min_requests: 4, max_duration_s: 30.0, ramp_up_s: 0.0 }
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn good(sent: f64, ended: f64) -> Sample {
    let asked = Asked { input_tokens: None, output_tokens: 2, known_tokens: 0 };
    let answer = Answer {
        ended_at: at(ended),
        arrivals: Vec::new(),
        exact: true,
        input_tokens: 1,
        output_tokens: 2,
        asked,
        text: None,
    };
    Sample { sent_at: at(sent), outcome: Ok(answer) }
}

fn bad(sent: f64) -> Sample {
    let failure = Failure { class: ErrorClass::Connection, message: "no connection".to_owned() };
    Sample { sent_at: at(sent), outcome: Err(failure) }
}

/// One user that sends requests of `length` seconds one after the other until the load point is over.
fn drive(point: &mut Point, length: f64, answer: fn(f64, f64) -> Sample) -> (f64, Vec<Ticket>) {
    let (mut now, mut tickets) = (0.0, Vec::new());
    while let Some(ticket) = point.begin(at(now), at(now)) {
        tickets.push(ticket);
        point.end(0, ticket, answer(now, now + length), at(now + length));
        now += length;
        assert!(now < 1000.0, "the load point never ends");
    }
    (now, tickets)
}

#[test]
fn warm_up_is_discarded_and_the_window_holds_what_began_in_it() {
    let mut point = Point::settled(users(1), measurement());
    let (end, tickets) = drive(&mut point, 1.0, good);
    assert_eq!(point.window(), Some((at(2.0), at(12.0))));
    assert_eq!(point.tally.warmup_requests, 2);
    assert_eq!((point.samples.len(), point.tally.completed), (10, 10));
    assert!(point.samples.iter().all(|sample| sample.sent_at >= at(2.0) && sample.sent_at < at(12.0)));
    assert_eq!((end, tickets.len()), (12.0, 12));
    assert!((point.concurrency_mean() - 1.0).abs() < 1e-9);
}

#[test]
fn a_window_without_enough_requests_stays_open_to_its_limit() {
    let mut point = Point::settled(users(1), Measurement { min_requests: 1000, ..measurement() });
    drive(&mut point, 1.0, good);
    assert_eq!(point.window(), Some((at(2.0), at(32.0))));
}

#[test]
fn load_goes_on_until_the_last_counted_request_has_ended() {
    let mut point = Point::settled(users(2), Measurement { min_requests: 1, ..measurement() });
    let slow = point.begin(at(0.0), Duration::ZERO).unwrap();
    for second in 0..3 {
        let ticket = point.begin(at(f64::from(second)), Duration::ZERO).unwrap();
        point.end(0, ticket, good(f64::from(second), f64::from(second) + 1.0), at(f64::from(second) + 1.0));
    }
    point.end(1, slow, good(0.0, 3.0), at(3.0));
    let counted = point.begin(at(4.0), Duration::ZERO).unwrap();
    for second in 4..20 {
        let ticket = point.begin(at(f64::from(second)), Duration::ZERO).unwrap();
        point.end(0, ticket, good(f64::from(second), f64::from(second) + 1.0), at(f64::from(second) + 1.0));
    }
    assert_eq!(point.progress(at(20.0)).0, LoadStage::Draining);
    assert!(!point.is_over(), "a counted request is still in flight");
    point.end(1, counted, good(4.0, 21.0), at(21.0));
    assert!(point.is_over() && point.begin(at(21.0), Duration::ZERO).is_none());
    assert_eq!(point.window(), Some((at(3.0), at(13.0))));
}

#[test]
fn an_engine_that_only_fails_ends_the_load_point_early() {
    let mut point = Point::settled(users(1), measurement());
    let (_, tickets) = drive(&mut point, 0.1, |sent, _| bad(sent));
    assert_eq!(tickets.len(), 50);
    assert_eq!((point.window(), point.commonest_failure()), (None, Some("no connection")));
}

#[test]
fn the_mean_in_flight_is_weighted_by_time() {
    let mut point = Point::settled(users(2), Measurement { min_requests: 1, ..measurement() });
    for user in 0..2 {
        for second in [0.0, 1.0] {
            let ticket = point.begin(at(second), Duration::ZERO).unwrap();
            point.end(user, ticket, good(second, second + 1.0), at(second + 1.0));
        }
    }
    // The window opens at 2 s; two requests for 5 s, then one for 5 s.
    let (first, second) =
        (point.begin(at(2.0), Duration::ZERO).unwrap(), point.begin(at(2.0), Duration::ZERO).unwrap());
    point.end(0, first, good(2.0, 7.0), at(7.0));
    point.end(1, second, good(2.0, 12.0), at(12.0));
    assert_eq!(point.window(), Some((at(2.0), at(12.0))));
    assert!((point.concurrency_mean() - 1.5).abs() < 1e-9, "{}", point.concurrency_mean());
}

#[test]
fn the_send_lag_reaches_from_the_last_answer_to_the_write() {
    let mut point = Point::settled(users(1), measurement());
    drive(&mut point, 1.0, |sent, ended| good(sent + 0.25, ended));
    assert_eq!(point.send_lags, vec![at(0.25); 10]);
}

#[test]
fn only_answers_that_reach_into_the_window_are_kept_beside_the_counted_ones() {
    let mut point = Point::settled(users(2), Measurement { min_requests: 0, ..measurement() });
    let long = point.begin(at(0.0), at(0.0)).unwrap();
    for _ in 0..4 {
        let ticket = point.begin(at(0.0), at(0.0)).unwrap();
        point.end(0, ticket, good(0.0, 0.5), at(0.5));
    }
    point.end(1, long, good(0.0, 1.0), at(1.0));
    let into = point.begin(at(1.0), at(1.0)).unwrap();
    point.look(at(2.0));
    let counted = point.begin(at(2.0), at(2.0)).unwrap();
    point.end(0, into, good(1.0, 3.0), at(3.0));
    point.look(at(12.0));
    let late = point.begin(at(12.0), at(12.0)).unwrap();
    point.end(0, late, good(12.0, 13.0), at(13.0));
    point.end(1, counted, good(2.0, 14.0), at(14.0));
    assert!(point.is_over());
    assert_eq!(point.uncounted, [good(1.0, 3.0)]);
    assert_eq!((point.samples.len(), point.tally.output_tokens), (1, 2 * 8));
}

#[test]
fn an_engine_that_dies_after_the_window_leaves_the_window() {
    let mut point = Point::settled(users(1), Measurement { min_requests: 1, ..measurement() });
    for second in [0.0, 1.0] {
        let ticket = point.begin(at(second), at(second)).unwrap();
        point.end(0, ticket, good(second, second + 1.0), at(second + 1.0));
    }
    let counted = point.begin(at(2.0), at(2.0)).unwrap();
    let ended = point.begin(at(2.0), at(2.0)).unwrap();
    point.end(0, ended, good(2.0, 3.0), at(3.0));
    point.look(at(12.0));
    for _ in 0..100 {
        let ticket = point.begin(at(12.5), at(12.5)).unwrap();
        point.end(0, ticket, bad(12.5), at(12.5));
    }
    point.end(0, counted, bad(2.0), at(13.0));
    assert_eq!(point.window(), Some((at(2.0), at(12.0))));
    assert_eq!((point.tally.completed, point.tally.failed), (1, 1));
}

#[test]
fn a_warm_up_goes_on_until_the_latencies_have_settled() {
    let mut point =
        Point::new(users(1), Measurement { min_duration_s: 120.0, max_duration_s: 120.0, ..measurement() });
    let mut now = 0.0;
    // The first answers get faster: 3 s, 2.9 s, ... 1 s, and so they stay.
    for index in 0..200 {
        let length = (3.0 - 0.1 * f64::from(index)).max(1.0);
        let Some(ticket) = point.begin(at(now), at(now)) else { break };
        point.end(0, ticket, good(now, now + length), at(now + length));
        now += length;
    }
    let (opened_at, _) = point.window().unwrap();
    assert!(opened_at >= at(41.0) && opened_at < at(120.0), "{opened_at:?}");
    assert!(point.tally.warmup_settled);
}

#[test]
fn nothing_counts_while_the_load_still_rises() {
    let mut point = Point::new(users(1), Measurement { ramp_up_s: 20.0, ..measurement() });
    let mut now = 0.0;
    while point.window().is_none() && now < 100.0 {
        // Slow at first: what the rising load sees must not keep the warm-up from settling.
        let length = if now < 20.0 { 2.0 - now / 20.0 } else { 1.0 };
        let ticket = point.begin(at(now), at(now)).unwrap();
        point.end(0, ticket, good(now, now + length), at(now + length));
        now += length;
    }
    let (opened_at, _) = point.window().unwrap();
    assert!(opened_at >= at(29.0) && opened_at <= at(32.0), "{opened_at:?}");
    assert!(point.tally.warmup_settled);
}

#[test]
fn a_warm_up_that_never_settles_ends_with_its_time_and_says_so() {
    let mut point = Point::new(users(1), measurement());
    let mut now = 0.0;
    for index in 0..100 {
        let length = 0.5 + 0.1 * f64::from(index);
        let Some(ticket) = point.begin(at(now), at(now)) else { break };
        point.end(0, ticket, good(now, now + length), at(now + length));
        now += length;
    }
    assert!(point.window().unwrap().0 >= at(10.0) && !point.tally.warmup_settled);
}

#[test]
fn requests_in_flight_are_weighed_half_by_half() {
    let rate = RequestRate { per_s: 1.0, arrivals: Arrivals::Constant };
    let mut point =
        Point::settled(OfferedLoad::RequestRate(rate), Measurement { min_requests: 1, ..measurement() });
    for second in 0..3 {
        let ticket = point.begin(at(f64::from(second)), at(f64::from(second))).unwrap();
        point.end(0, ticket, good(f64::from(second), f64::from(second) + 0.5), at(f64::from(second) + 0.5));
    }
    assert!(
        (point.in_flight_in(at(2.0), at(4.0)) - 0.25).abs() < 1e-9,
        "{}",
        point.in_flight_in(at(2.0), at(4.0))
    );
}
