//! Who may move a run: one worker at a time, and never one that was replaced.

use std::time::Duration;

use accelbench_core::run::{Phase, Run, Transition, Verdict};
use accelbench_store::lease::{self, Lease};
use accelbench_store::{Error, PgConnection, Result, results};

use crate::builders::{Request, Store};
use crate::driver::{advance, provenance};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_run_is_taken_by_one_worker_at_a_time() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let takes = futures::future::join_all((0..8).map(|_| store.try_take(run_id))).await;
    let leases: Vec<Lease> = takes.into_iter().flatten().map(|(lease, _)| lease).collect();
    assert_eq!(leases, [Lease { run_id, epoch: 1 }]);
}

#[tokio::test]
async fn taking_counts_the_attempt_and_raises_the_epoch() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    for expected in 1..=3 {
        let (lease, run) = store.take(run_id).await;
        assert_eq!((lease.epoch, i64::from(run.attempts)), (expected, expected));
        store.let_lease_run_out(run_id).await;
    }
}

#[tokio::test]
async fn a_renewed_lease_is_not_taken_and_one_that_ran_out_is() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let (lease, _) = store.take(run_id).await;
    store.let_lease_run_out(run_id).await;
    // Late, but before anybody else.
    lease::renew(&mut *store.connection().await, lease, MINUTE).await.unwrap();
    assert!(store.try_take(run_id).await.is_none());
    store.let_lease_run_out(run_id).await;
    assert!(store.try_take(run_id).await.is_some());
}

#[tokio::test]
async fn parked_and_finished_runs_are_not_taken() {
    let store = Store::new().await;
    let finished = store.run_in("finished").await;
    assert!(store.try_take(finished).await.is_none());
    let parked = store.run_in("tearing_down").await;
    let (lease, _) = store.take(parked).await;
    lease::park(&mut *store.connection().await, lease, "the disk is full").await.unwrap();
    assert!(store.try_take(parked).await.is_none());
}

/// Everything that a worker can do with a lease.
const ATTEMPTS: [&str; 10] =
    ["renew", "check", "note", "advance", "claim", "release", "look_again", "retry_later", "park", "record"];

async fn attempt(what: &str, connection: &mut PgConnection, lease: Lease, run: &Run) -> Result<()> {
    match what {
        "renew" => lease::renew(connection, lease, MINUTE).await,
        "check" => lease::check(connection, lease).await,
        "note" => lease::note(connection, lease, "still here").await,
        "advance" => {
            let step = match run.phase {
                Phase::TearingDown(_) => Transition::TornDown,
                _ => Transition::End(Verdict::Cancelled),
            };
            advance(connection, lease, run, step).await
        }
        "claim" => lease::claim(connection, lease, run, "claimed").await.map(drop),
        "release" => lease::release(connection, lease, MINUTE).await,
        "look_again" => lease::look_again(connection, lease, run, MINUTE).await,
        "retry_later" => lease::retry_later(connection, lease, run, "no route", MINUTE).await,
        "park" => lease::park(connection, lease, "it never ends").await,
        "record" => {
            let provenance = provenance(connection, run).await;
            results::record(connection, lease, run, &provenance).await.map(drop)
        }
        other => panic!("nobody attempts {other}"),
    }
}

/// Whatever the holder of a lost lease tries, even if it goes on to commit.
async fn changes_nothing(store: &Store, lost: Lease, run: &Run) {
    let before = store.footprint(run.id).await;
    for what in ATTEMPTS {
        let mut transaction = store.begin().await;
        let outcome = attempt(what, &mut transaction, lost, run).await;
        transaction.commit().await.unwrap();
        assert!(matches!(outcome, Err(Error::LeaseLost(id)) if id == run.id), "{what}: {outcome:?}");
        assert_eq!(store.footprint(run.id).await, before, "{what} while {}", run.phase);
    }
}

#[tokio::test]
async fn a_worker_that_was_replaced_changes_nothing() {
    let store = Store::new().await;
    for phase in ["queued", "recording", "tearing_down"] {
        let run_id = store.run_in(phase).await;
        let (old, run) = store.take(run_id).await;
        store.let_lease_run_out(run_id).await;
        let (new, _) = store.take(run_id).await;
        assert_eq!(new.epoch, old.epoch + 1);
        changes_nothing(&store, old, &run).await;
    }
}

#[tokio::test]
async fn whoever_gave_the_lease_up_has_lost_it() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    lease::release(&mut *store.connection().await, lease, MINUTE).await.unwrap();
    changes_nothing(&store, lease, &run).await;
}

#[tokio::test]
async fn a_step_that_was_done_already_is_not_done_again() {
    let store = Store::new().await;
    let run_id = store.run_in("deploying").await;
    let (_, stale) = store.take(run_id).await;
    store.let_lease_run_out(run_id).await;
    store.bring_to(run_id, "awaiting_ready").await;
    // The lease is good, but what the worker knows of the run is old.
    let (lease, _) = store.take(run_id).await;
    let before = store.footprint(run_id).await;
    let mut transaction = store.begin().await;
    let outcome = advance(&mut transaction, lease, &stale, Transition::Deployed).await;
    transaction.commit().await.unwrap();
    assert!(matches!(outcome, Err(Error::LeaseLost(_))), "{outcome:?}");
    assert_eq!(store.footprint(run_id).await, before);
}

#[tokio::test]
async fn a_step_writes_phase_event_and_tick_or_nothing() {
    let store = Store::new().await;
    let run_id = store.run_in("deploying").await;
    let (lease, run) = store.take(run_id).await;
    let before = store.footprint(run_id).await;
    let mut transaction = store.begin().await;
    advance(&mut transaction, lease, &run, Transition::Deployed).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(store.footprint(run_id).await, before);

    let mut transaction = store.begin().await;
    advance(&mut transaction, lease, &run, Transition::Deployed).await.unwrap();
    transaction.commit().await.unwrap();
    let after = store.footprint(run_id).await;
    assert_eq!(after["row"]["phase"], "awaiting_ready");
    assert!(after["row"]["lease_owner"].is_null());
    for grown in ["events", "ticks"] {
        assert_eq!(after[grown].as_i64(), before[grown].as_i64().map(|count| count + 1), "{grown}");
    }
}

#[tokio::test]
async fn a_step_that_the_phase_does_not_allow_is_a_conflict() {
    let store = Store::new().await;
    let run_id = store.run_in("deploying").await;
    let (lease, run) = store.take(run_id).await;
    let outcome = advance(&mut *store.connection().await, lease, &run, Transition::Loaded).await;
    assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}");
}

#[tokio::test]
async fn the_deadline_counts_from_the_end_of_the_queue() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    assert_eq!(store.run(run_id).await.deadline_at, None);
    store.bring_to(run_id, "deploying").await;
    let run = store.run(run_id).await;
    let deadline = run.deadline_at.unwrap();
    assert_eq!((deadline - run.phase_since).num_seconds(), i64::from(run.spec.timeout_s));
    store.bring_to(run_id, "loading").await;
    assert_eq!(store.run(run_id).await.deadline_at, Some(deadline));
}

#[tokio::test]
async fn a_failed_attempt_stays_counted_and_a_look_does_not() {
    let store = Store::new().await;
    let run_id = store.run_in("deploying").await;
    let ticks = store.ticks(run_id).await;
    let (lease, run) = store.take(run_id).await;
    let mut connection = store.connection().await;
    lease::retry_later(&mut connection, lease, &run, "no route to host", MINUTE).await.unwrap();
    let after = store.footprint(run_id).await;
    assert_eq!(after["row"]["last_error"], "no route to host");
    assert_eq!(after["ticks"], ticks + 1);

    let (lease, run) = store.take(run_id).await;
    assert_eq!(run.attempts, 2);
    lease::look_again(&mut connection, lease, &run, MINUTE).await.unwrap();
    let run = store.run(run_id).await;
    assert_eq!((run.attempts, store.ticks(run_id).await), (0, ticks + 2));
}
