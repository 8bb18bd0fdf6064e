//! How many runs are under way at once, and who goes first.

use std::time::Duration;

use accelbench_core::run::{CapacityGroup, Priority, RunId, Verdict};
use accelbench_store::lease::{self, Claim};
use accelbench_store::{capacity, instances, runs};
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use crate::builders::{Request, Store, constraint, instance, spec};

impl Store {
    async fn limit(&self, group: &str, max_runs: i32) {
        capacity::set_limit(&mut *self.connection().await, group, max_runs).await.unwrap();
    }

    /// As a worker does that got a tick of a queued run.
    async fn claim(&self, run_id: RunId) -> Claim {
        let (lease, run) = self.take(run_id).await;
        let mut transaction = self.begin().await;
        let claim = lease::claim(&mut transaction, lease, &run, "claimed").await.unwrap();
        transaction.commit().await.unwrap();
        claim
    }

    async fn claimed_of(&self, runs: &[RunId]) -> usize {
        let claims = futures::future::join_all(runs.iter().map(|run_id| self.claim(*run_id))).await;
        claims.iter().filter(|claim| **claim == Claim::Claimed).count()
    }

    async fn still_queued(&self) -> Vec<RunId> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT run_id FROM runs WHERE phase = 'queued' ORDER BY run_id")
                .fetch_all(self.pool())
                .await
                .unwrap();
        ids.into_iter().map(RunId::from).collect()
    }

    async fn submit_many(&self, count: usize) -> Vec<RunId> {
        let mut runs = Vec::new();
        for _ in 0..count {
            runs.push(self.submit(&Request::default()).await);
        }
        runs
    }
}

#[tokio::test]
async fn the_limit_holds_while_many_workers_claim_at_once() {
    let store = Store::new().await;
    store.limit("local", 3).await;
    let submitted = store.submit_many(8).await;
    assert_eq!(store.claimed_of(&submitted).await, 3);
    assert_eq!(store.still_queued().await, submitted[3..]);
    assert_eq!(store.claimed_of(&submitted[3..]).await, 0);

    store.end(submitted[0], &Verdict::Cancelled).await;
    assert_eq!(store.claimed_of(&submitted[3..]).await, 0, "a teardown keeps its place");
    store.bring_to(submitted[0], "finished").await;
    assert_eq!(store.claimed_of(&submitted[3..]).await, 1);
    assert_eq!(store.still_queued().await, submitted[4..]);
    assert_eq!(store.count("SELECT count(*) FROM runs WHERE phase = 'deploying'").await, 3);
}

#[tokio::test]
async fn a_place_that_is_being_taken_is_not_given_to_somebody_more_urgent() {
    let store = Store::new().await;
    store.limit("local", 1).await;
    let catalog = store.submit(&Request { priority: Priority::Catalog, ..Request::default() }).await;
    let (lease, run) = store.take(catalog).await;
    let mut taking = store.begin().await;
    assert_eq!(lease::claim(&mut taking, lease, &run, "claimed").await.unwrap(), Claim::Claimed);

    let person = store.submit(&Request::default()).await;
    let commit_once_somebody_waits = async {
        while store.count(WAITING_FOR_A_LOCK).await == 0 {
            tokio::task::yield_now().await;
        }
        taking.commit().await.unwrap();
    };
    let both = async { tokio::join!(store.claim(person), commit_once_somebody_waits) };
    let (claim, ()) =
        timeout(Duration::from_secs(20), both).await.expect("the second claim waits for the first");
    assert_eq!(claim, Claim::Waiting);
}

const WAITING_FOR_A_LOCK: &str = "SELECT count(*) FROM pg_locks
    WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn a_person_goes_before_the_catalog_and_the_older_first() {
    let store = Store::new().await;
    store.limit("local", 1).await;
    let catalog = store.submit(&Request { priority: Priority::Catalog, ..Request::default() }).await;
    let person = store.submit(&Request::default()).await;
    let later = store.submit(&Request::default()).await;
    let mut connection = store.connection().await;
    for (run_id, position) in [(person, 0), (later, 1), (catalog, 2)] {
        assert_eq!(capacity::queue_position(&mut connection, run_id).await.unwrap(), Some(position));
    }
    assert_eq!(store.claim(catalog).await, Claim::Waiting);
    assert_eq!(store.claim(later).await, Claim::Waiting);
    assert_eq!(store.claim(person).await, Claim::Claimed);
    assert_eq!(capacity::queue_position(&mut connection, person).await.unwrap(), None);
}

#[tokio::test]
async fn the_catalog_goes_where_a_node_was_just_used() {
    let store = Store::new().await;
    store.limit("local", 1).await;
    let other = instance(&json!({"instance_type": "g5.xlarge", "family": "g5"}));
    instances::upsert(&mut *store.connection().await, &other).await.unwrap();
    let of_catalog = |instance_type: &str| Request {
        spec: spec(&json!({"instance_type": instance_type})),
        priority: Priority::Catalog,
        ..Request::default()
    };
    let first = store.submit(&of_catalog("g6e.xlarge")).await;
    let elsewhere = store.submit(&of_catalog("g5.xlarge")).await;
    let again = store.submit(&of_catalog("g6e.xlarge")).await;
    assert_eq!(store.claim(first).await, Claim::Claimed);
    store.bring_to(first, "finished").await;
    let person = store.submit(&Request::default()).await;
    for waits in [again, elsewhere] {
        assert_eq!(store.claim(waits).await, Claim::Waiting);
    }
    assert_eq!(store.claim(person).await, Claim::Claimed);
    store.bring_to(person, "finished").await;
    assert_eq!(store.claim(elsewhere).await, Claim::Waiting);
    assert_eq!(store.claim(again).await, Claim::Claimed);
    store.bring_to(again, "finished").await;

    let later = store.submit(&of_catalog("g6e.xlarge")).await;
    sqlx::query("UPDATE runs SET phase_since = now() - interval '11 minutes' WHERE phase = 'finished'")
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(store.claim(later).await, Claim::Waiting, "its node is gone by now");
    assert_eq!(store.claim(elsewhere).await, Claim::Claimed);
}

#[tokio::test]
async fn whoever_leaves_wakes_the_next_in_line() {
    let store = Store::new().await;
    store.limit("local", 1).await;
    let submitted = store.submit_many(3).await;
    assert_eq!(store.claim(submitted[0]).await, Claim::Claimed);
    assert_eq!(store.claim(submitted[1]).await, Claim::Waiting);
    let ticks = async || [store.ticks(submitted[1]).await, store.ticks(submitted[2]).await];
    let before = ticks().await;
    store.bring_to(submitted[0], "finished").await;
    assert_eq!(ticks().await, [before[0] + 1, before[1]]);
}

#[tokio::test]
async fn a_wake_up_that_was_lost_is_made_good() {
    let store = Store::new().await;
    store.limit("local", 1).await;
    let submitted = store.submit_many(2).await;
    sqlx::query("DELETE FROM apalis.jobs").execute(store.pool()).await.unwrap();
    assert_eq!(capacity::wake_stranded(&mut *store.connection().await).await.unwrap(), 1);
    assert_eq!([store.ticks(submitted[0]).await, store.ticks(submitted[1]).await], [1, 0]);
}

#[tokio::test]
async fn a_run_to_be_cancelled_keeps_nobody_waiting() {
    let store = Store::new().await;
    store.limit("local", 1).await;
    let submitted = store.submit_many(2).await;
    runs::request_cancel(&mut *store.connection().await, submitted[0]).await.unwrap();
    assert_eq!(store.claim(submitted[1]).await, Claim::Claimed);
}

#[tokio::test]
async fn each_endpoint_is_a_group_of_its_own() {
    let store = Store::new().await;
    let endpoint = |host: &str| Request {
        spec: spec(&json!({
            "platform": {"kind": "endpoint", "url": format!("http://{host}:8000/")}, "instance_type": "external",
        })),
        ..Request::default()
    };
    let first = store.submit(&endpoint("gpu-1")).await;
    let same = store.submit(&endpoint("gpu-1")).await;
    let other = store.submit(&endpoint("gpu-2")).await;
    assert_eq!(store.claim(first).await, Claim::Claimed);
    assert_eq!(store.claim(same).await, Claim::Waiting);
    assert_eq!(store.claim(other).await, Claim::Claimed);

    let group = CapacityGroup("endpoint:gpu-1:8000".to_owned());
    store.limit(&group.0, 2).await;
    assert_eq!(store.claim(same).await, Claim::Claimed, "its full name goes before its kind");
}

#[tokio::test]
async fn a_limit_is_above_zero() {
    let store = Store::new().await;
    let refused = capacity::set_limit(&mut *store.connection().await, "local", 0).await;
    assert_eq!(constraint(refused), "capacity_limits_max_runs_check");
}
