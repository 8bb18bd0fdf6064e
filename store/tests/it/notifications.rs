//! Whoever watches a run hears of its changes.

use std::time::Duration;

use accelbench_core::run::{EventKind, RunId};
use accelbench_store::events;
use accelbench_store::notifications::{RunNotifications, changed};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::builders::{Request, Store};

const PATIENCE: Duration = Duration::from_secs(20);

/// Appends events until one is heard: what happens before the listener is connected is not.
async fn heard(store: &Store, receiver: &mut Receiver<RunId>, run_id: RunId) {
    let hearing = async {
        loop {
            let mut connection = store.connection().await;
            events::append(&mut connection, run_id, EventKind::Detail, "something").await.unwrap();
            if timeout(Duration::from_millis(100), changed(receiver, run_id)).await.is_ok() {
                return;
            }
        }
    };
    timeout(PATIENCE, hearing).await.expect("the change is heard");
}

#[tokio::test]
async fn every_subscriber_hears_of_a_change_to_its_run_alone() {
    let store = Store::new().await;
    let watched = store.submit(&Request::default()).await;
    let other = store.submit(&Request::default()).await;
    let notifications = RunNotifications::listen(store.pool().clone());
    let (mut first, mut second) = (notifications.subscribe(), notifications.subscribe());
    heard(&store, &mut first, watched).await;
    timeout(PATIENCE, changed(&mut second, watched)).await.expect("all subscribers hear it");
    let quiet = timeout(Duration::from_millis(50), changed(&mut first, other)).await;
    assert!(quiet.is_err(), "nothing happened to the other run");
}

#[tokio::test]
async fn a_change_that_was_rolled_back_is_not_heard() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let other = store.submit(&Request::default()).await;
    let notifications = RunNotifications::listen(store.pool().clone());
    let mut receiver = notifications.subscribe();
    heard(&store, &mut receiver, other).await;

    let mut watcher = notifications.subscribe();
    let mut transaction = store.begin().await;
    events::append(&mut transaction, run_id, EventKind::Detail, "never was").await.unwrap();
    transaction.rollback().await.unwrap();
    heard(&store, &mut receiver, other).await;
    while let Ok(changed) = watcher.try_recv() {
        assert_eq!(changed, other);
    }
}

#[tokio::test]
async fn a_listener_whose_connection_was_cut_hears_again() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let notifications = RunNotifications::listen(store.pool().clone());
    let mut receiver = notifications.subscribe();
    heard(&store, &mut receiver, run_id).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    assert_eq!(store.count(cut).await, 1);
    heard(&store, &mut receiver, run_id).await;
}
