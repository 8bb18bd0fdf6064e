//! The queue: who goes first, when a tick is due, and what is cleared away.

use std::time::Duration;

use accelbench_core::run::Priority;
use accelbench_store::queue::{self, Pruned, Urgency};
use accelbench_store::runs;
use chrono::{DateTime, Utc};

use crate::builders::{Request, Store};

#[tokio::test]
async fn what_a_person_asked_for_goes_first_and_the_catalog_last() {
    let store = Store::new().await;
    store.submit(&Request { priority: Priority::Catalog, ..Request::default() }).await;
    let run_id = store.submit(&Request::default()).await;
    runs::request_cancel(&mut *store.connection().await, run_id).await.unwrap();
    let priorities: Vec<i32> = sqlx::query_scalar("SELECT priority FROM apalis.jobs ORDER BY priority")
        .fetch_all(store.pool())
        .await
        .unwrap();
    let [catalog, person, asked] = priorities[..] else { panic!("{priorities:?}") };
    assert!(catalog < person && person < asked, "{priorities:?}");
}

#[tokio::test]
async fn a_delayed_tick_is_due_later() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let mut connection = store.connection().await;
    sqlx::query("DELETE FROM apalis.jobs").execute(&mut *connection).await.unwrap();
    let before = Utc::now();
    let urgency = Urgency::Of(Priority::Person);
    queue::push_tick(&mut connection, run_id, urgency, Duration::from_mins(5)).await.unwrap();
    let due_at: DateTime<Utc> =
        sqlx::query_scalar("SELECT run_at FROM apalis.jobs").fetch_one(store.pool()).await.unwrap();
    assert!((295..=305).contains(&(due_at - before).num_seconds()), "{due_at}");
}

#[tokio::test]
async fn done_jobs_and_gone_workers_are_pruned_and_nothing_else() {
    let store = Store::new().await;
    for _ in 0..4 {
        store.submit(&Request::default()).await;
    }
    sqlx::raw_sql(
        "INSERT INTO apalis.workers (id, worker_type, storage_name, last_seen) VALUES
             ('gone', 'runs', 'test', now() - interval '2 days'),
             ('gone with a job', 'runs', 'test', now() - interval '2 days'),
             ('alive', 'runs', 'test', now());
         WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS number FROM apalis.jobs)
         UPDATE apalis.jobs AS job SET
             status = CASE number WHEN 1 THEN 'Done' WHEN 2 THEN 'Done' WHEN 3 THEN 'Running' ELSE 'Pending' END,
             done_at = CASE number WHEN 1 THEN now() - interval '2 days' WHEN 2 THEN now() END,
             lock_by = CASE number WHEN 3 THEN 'gone with a job' END
         FROM numbered WHERE numbered.id = job.id;",
    )
    .execute(store.pool())
    .await
    .unwrap();
    let pruned = queue::prune(&mut *store.connection().await, Duration::from_hours(24)).await.unwrap();
    assert_eq!(pruned, Pruned { jobs: 1, workers: 1 });
    assert_eq!(store.count("SELECT count(*) FROM apalis.jobs").await, 3);
    assert_eq!(store.count("SELECT count(*) FROM apalis.workers WHERE id <> 'gone'").await, 2);
}
