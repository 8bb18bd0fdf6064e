use std::time::Duration;

use accelbench_core::load::{ErrorClass, LoadStage, Measurement};

use super::{Point, Ticket};
use crate::sample::{Answer, Asked, Failure, Sample};

fn measurement() -> Measurement {
    Measurement { min_duration_s: 10.0, min_requests: 4, max_duration_s: 30.0 }
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn good(sent: f64, ended: f64) -> Sample {
    let asked = Asked { input_tokens: None, output_tokens: 2 };
    let answer = Answer {
        ended_at: at(ended),
        arrivals: Vec::new(),
        exact: true,
        input_tokens: 1,
        output_tokens: 2,
        asked,
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
    while let Some(ticket) = point.begin(at(now), Duration::ZERO) {
        tickets.push(ticket);
        point.end(0, ticket, answer(now, now + length), at(now + length));
        now += length;
        assert!(now < 1000.0, "the load point never ends");
    }
    (now, tickets)
}

#[test]
fn warm_up_is_discarded_and_the_window_holds_what_began_in_it() {
    let mut point = Point::new(1, measurement());
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
    let mut point = Point::new(1, Measurement { min_requests: 1000, ..measurement() });
    drive(&mut point, 1.0, good);
    assert_eq!(point.window(), Some((at(2.0), at(32.0))));
}

#[test]
fn load_goes_on_until_the_last_counted_request_has_ended() {
    let mut point = Point::new(2, Measurement { min_requests: 1, ..measurement() });
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
    let mut point = Point::new(1, measurement());
    let (_, tickets) = drive(&mut point, 0.1, |sent, _| bad(sent));
    assert_eq!(tickets.len(), 50);
    assert_eq!((point.window(), point.last_failure()), (None, Some("no connection")));
}

#[test]
fn the_mean_in_flight_is_weighted_by_time() {
    let mut point = Point::new(2, Measurement { min_requests: 1, ..measurement() });
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
