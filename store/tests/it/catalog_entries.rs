//! What the catalog keeps fresh, and when.

use std::time::Duration;

use accelbench_core::run::RunId;
use accelbench_store::{Error, catalog_entries};
use serde_json::json;
use uuid::Uuid;

use crate::builders::{Request, Store, raw, spec};

const WEEK: Duration = Duration::from_hours(7 * 24);
const NONE: [Uuid; 0] = [];

impl Store {
    async fn put(&self, concurrency: u32) -> Uuid {
        let spec = spec(&json!({"load_points": [{"concurrency": concurrency}]}));
        catalog_entries::put(&mut *self.connection().await, &spec, WEEK).await.unwrap()
    }

    async fn due(&self) -> Vec<Uuid> {
        let due = catalog_entries::due(&mut *self.connection().await, 10).await.unwrap();
        due.into_iter().map(|entry| entry.id).collect()
    }

    /// The run that an entry was refreshed by.
    async fn refresh(&self, entry: Uuid) -> RunId {
        let run_id = self.submit(&Request::default()).await;
        catalog_entries::set_last_run(&mut *self.connection().await, entry, run_id).await.unwrap();
        run_id
    }

    async fn age(&self, run_id: RunId, days: u32) {
        let sql = format!("UPDATE runs SET created_at = now() - interval '{days} days' WHERE run_id = $1");
        raw(&mut *self.connection().await, sql, run_id).await.unwrap();
    }
}

#[tokio::test]
async fn an_entry_is_due_until_it_has_a_fresh_run() {
    let store = Store::new().await;
    let entry = store.put(1).await;
    assert_eq!(store.due().await, [entry]);
    let run_id = store.refresh(entry).await;
    assert_eq!(store.due().await, NONE, "its run is under way");
    store.bring_to(run_id, "finished").await;
    assert_eq!(store.due().await, NONE, "its run is fresh");
    store.age(run_id, 6).await;
    assert_eq!(store.due().await, NONE, "its run is fresh enough");
    store.age(run_id, 8).await;
    assert_eq!(store.due().await, [entry]);
}

#[tokio::test]
async fn an_old_run_that_never_ended_is_not_doubled() {
    let store = Store::new().await;
    let entry = store.put(1).await;
    let run_id = store.refresh(entry).await;
    store.age(run_id, 30).await;
    assert_eq!(store.due().await, NONE);
}

#[tokio::test]
async fn the_same_request_is_one_entry() {
    let store = Store::new().await;
    let entry = store.put(1).await;
    assert_eq!(store.put(1).await, entry);
    let second = store.put(2).await;
    assert_eq!(store.due().await, [entry, second]);
    let first = catalog_entries::due(&mut *store.connection().await, 1).await.unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].spec, spec(&json!({"load_points": [{"concurrency": 1}]})));
}

#[tokio::test]
async fn a_disabled_entry_is_not_due_until_it_is_put_again() {
    let store = Store::new().await;
    let entry = store.put(1).await;
    sqlx::query("UPDATE catalog_entries SET enabled = false").execute(store.pool()).await.unwrap();
    assert_eq!(store.due().await, NONE);
    store.put(1).await;
    assert_eq!(store.due().await, [entry]);
}

#[tokio::test]
async fn two_refreshes_at_once_do_not_see_the_same_entry() {
    let store = Store::new().await;
    let entry = store.put(1).await;
    let mut first = store.begin().await;
    assert_eq!(catalog_entries::due(&mut first, 10).await.unwrap()[0].id, entry);
    assert_eq!(store.due().await, NONE);
    first.rollback().await.unwrap();
    assert_eq!(store.due().await, [entry]);
}

#[tokio::test]
async fn an_unknown_entry_is_not_found() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let outcome = catalog_entries::set_last_run(&mut *store.connection().await, Uuid::now_v7(), run_id).await;
    assert!(matches!(outcome, Err(Error::NotFound { what: "catalog entry", .. })), "{outcome:?}");
}
