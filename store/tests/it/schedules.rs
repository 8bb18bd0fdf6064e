//! Each tick of a schedule is claimed once.

use std::time::Duration;

use accelbench_store::schedules;
use chrono::{DateTime, Utc};

use crate::builders::Store;

const JOBS: &str = "SELECT count(*) FROM apalis.jobs WHERE job_type = 'schedules'";

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn of_eight_claimers_one_enqueues_the_job() {
    let store = Store::new().await;
    let due_at = moment("2026-11-24T12:00:00Z");
    let claims = (0..8).map(|worker| {
        let store = &store;
        async move {
            let mut transaction = store.begin().await;
            let name = format!("worker-{worker}");
            let claimed = schedules::claim(&mut transaction, "prices", due_at, &name).await.unwrap();
            transaction.commit().await.unwrap();
            claimed
        }
    });
    let claimed = futures::future::join_all(claims).await;
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1, "{claimed:?}");
    assert_eq!(store.count(JOBS).await, 1);
}

#[tokio::test]
async fn a_claim_that_was_not_committed_is_free_again() {
    let store = Store::new().await;
    let due_at = moment("2026-11-24T12:00:00Z");
    let mut transaction = store.begin().await;
    assert!(schedules::claim(&mut transaction, "prices", due_at, "dies").await.unwrap());
    transaction.rollback().await.unwrap();
    assert_eq!(store.count(JOBS).await, 0);
    let mut connection = store.connection().await;
    assert!(schedules::claim(&mut connection, "prices", due_at, "lives").await.unwrap());
    assert_eq!(store.count(JOBS).await, 1);
}

#[tokio::test]
async fn other_schedules_and_other_moments_are_ticks_of_their_own() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    for (schedule, due_at) in [
        ("prices", "2026-11-24T12:00:00Z"),
        ("catalog", "2026-11-24T12:00:00Z"),
        ("prices", "2026-11-24T13:00:00Z"),
    ] {
        assert!(schedules::claim(&mut connection, schedule, moment(due_at), "worker").await.unwrap());
    }
    assert_eq!(store.count(JOBS).await, 3);
}

#[tokio::test]
async fn old_ticks_are_forgotten() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    for due_at in [moment("2020-01-01T00:00:00Z"), Utc::now()] {
        schedules::claim(&mut connection, "prices", due_at, "worker").await.unwrap();
    }
    assert_eq!(schedules::prune(&mut connection, Duration::from_hours(24)).await.unwrap(), 1);
    assert_eq!(store.count("SELECT count(*) FROM schedule_ticks").await, 1);
}
