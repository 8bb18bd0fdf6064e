//! Runs that wait for a person, and runs that were forgotten.

use accelbench_core::run::EventKind;
use accelbench_store::{Error, events, lease, runs};

use crate::builders::{Request, Store, constraint};
use crate::driver::EARLY_PHASES;

impl Store {
    /// As if every run's tick had been due a while ago.
    async fn strand(&self) {
        let past = "UPDATE runs SET next_tick_at = now() - interval '1 minute'";
        sqlx::query(past).execute(self.pool()).await.unwrap();
    }

    async fn revive(&self) -> u64 {
        runs::revive(&mut *self.connection().await).await.unwrap()
    }
}

#[tokio::test]
async fn a_parked_run_waits_until_a_person_requeues_it() {
    let store = Store::new().await;
    let run_id = store.run_in("tearing_down").await;
    let (lease, _) = store.take(run_id).await;
    let mut connection = store.connection().await;
    lease::park(&mut connection, lease, "the process cannot be killed").await.unwrap();
    assert_eq!(store.run(run_id).await.parked_reason.as_deref(), Some("the process cannot be killed"));

    let ticks = store.ticks(run_id).await;
    runs::requeue(&mut connection, run_id).await.unwrap();
    let run = store.run(run_id).await;
    assert_eq!((run.parked_reason, run.attempts, store.ticks(run_id).await), (None, 0, ticks + 1));
    let events = events::list_after(&mut connection, run_id, 0, 100).await.unwrap();
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    assert!(kinds.ends_with(&[EventKind::Parked, EventKind::Requeued]), "{kinds:?}");
    store.bring_to(run_id, "finished").await;
}

#[tokio::test]
async fn only_a_parked_run_is_requeued() {
    let store = Store::new().await;
    for phase in ["queued", "tearing_down", "finished"] {
        let run_id = store.run_in(phase).await;
        let refused = runs::requeue(&mut *store.connection().await, run_id).await;
        assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains(phase)), "{refused:?}");
    }
}

#[tokio::test]
async fn no_run_is_parked_before_its_teardown() {
    let store = Store::new().await;
    for phase in EARLY_PHASES {
        let run_id = store.run_in(phase).await;
        let (lease, _) = store.take(run_id).await;
        let mut transaction = store.begin().await;
        let refused = lease::park(&mut transaction, lease, "no").await;
        assert_eq!(constraint(refused), "only_a_teardown_parks", "{phase}");
    }
}

#[tokio::test]
async fn a_stranded_run_gets_one_tick() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    assert_eq!(store.revive().await, 0, "its first tick is not overdue");
    store.strand().await;
    assert_eq!(store.revive().await, 1);
    assert_eq!(store.ticks(run_id).await, 2);
    assert_eq!(store.revive().await, 0, "the next gift is due much later");
}

#[tokio::test]
async fn a_run_whose_worker_died_gets_a_tick_once_the_lease_ran_out() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    store.take(run_id).await;
    store.strand().await;
    assert_eq!(store.revive().await, 0, "somebody works on it");
    store.let_lease_run_out(run_id).await;
    assert_eq!(store.revive().await, 1);
}

#[tokio::test]
async fn parked_and_finished_runs_get_no_tick() {
    let store = Store::new().await;
    store.run_in("finished").await;
    let parked = store.run_in("tearing_down").await;
    let (lease, _) = store.take(parked).await;
    lease::park(&mut *store.connection().await, lease, "no").await.unwrap();
    store.strand().await;
    assert_eq!(store.revive().await, 0);
}

#[tokio::test]
async fn sweepers_at_work_at_once_give_each_run_one_tick() {
    let store = Store::new().await;
    for _ in 0..5 {
        store.submit(&Request::default()).await;
    }
    store.strand().await;
    let revived = futures::future::join_all((0..4).map(|_| store.revive())).await;
    assert_eq!(revived.iter().sum::<u64>(), 5, "{revived:?}");
    assert_eq!(store.count("SELECT count(*) FROM apalis.jobs").await, 10);
}
