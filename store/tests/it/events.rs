//! The timeline of a run.

use accelbench_core::run::{EventKind, RunId};
use accelbench_store::{Error, events};

use crate::builders::{Request, Store, constraint, raw};

#[tokio::test]
async fn events_are_numbered_without_gaps_whoever_writes_them() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let mut rolled_back = store.begin().await;
    events::append(&mut rolled_back, run_id, EventKind::Detail, "never was").await.unwrap();
    rolled_back.rollback().await.unwrap();
    let appends = (0..8).map(|_| async {
        let mut connection = store.connection().await;
        events::append(&mut connection, run_id, EventKind::Detail, "at once").await.unwrap()
    });
    let mut numbers = futures::future::join_all(appends).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=9).collect::<Vec<i64>>());
}

#[tokio::test]
async fn events_are_listed_from_where_the_reader_left_off() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    for (after, limit, expected) in
        [(0, 100, vec![1, 2, 3, 4]), (2, 100, vec![3, 4]), (0, 3, vec![1, 2, 3]), (4, 100, vec![])]
    {
        let mut connection = store.connection().await;
        let events = events::list_after(&mut connection, run_id, after, limit).await.unwrap();
        let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, expected, "after {after}, at most {limit}");
    }
}

#[tokio::test]
async fn every_kind_of_event_can_be_stored_and_says_its_phase() {
    let store = Store::new().await;
    let run_id = store.run_in("deploying").await;
    let mut connection = store.connection().await;
    for kind in EventKind::ALL {
        let number = events::append(&mut connection, run_id, kind, "said").await.unwrap();
        let event = events::list_after(&mut connection, run_id, number - 1, 1).await.unwrap().remove(0);
        assert_eq!((event.kind, event.phase.as_str(), event.message.as_str()), (kind, "deploying", "said"));
    }
}

#[tokio::test]
async fn a_very_long_message_is_shortened_and_not_refused() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let mut connection = store.connection().await;
    let long = format!("begin{}end", "ü".repeat(100_000));
    let number = events::append(&mut connection, run_id, EventKind::Detail, &long).await.unwrap();
    let event = events::list_after(&mut connection, run_id, number - 1, 1).await.unwrap().remove(0);
    assert!(event.message.starts_with("begin") && event.message.ends_with("end"));
}

#[tokio::test]
async fn the_timeline_is_never_changed() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    for change in ["UPDATE run_events SET message = 'x'", "DELETE FROM run_events"] {
        let outcome =
            raw(&mut *store.connection().await, format!("{change} WHERE run_id = $1"), run_id).await;
        assert_eq!(constraint(outcome), "run_events_append_only");
    }
    let unknown = events::append(&mut *store.connection().await, RunId::new(), EventKind::Detail, "x").await;
    assert!(matches!(unknown, Err(Error::NotFound { what: "run", .. })), "{unknown:?}");
}
