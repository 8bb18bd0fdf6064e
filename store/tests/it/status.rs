//! How the installation is doing.

use accelbench_store::{lease, status};

use crate::builders::{Request, Store};

#[tokio::test]
async fn an_empty_installation_has_nothing_to_tell() {
    let store = Store::new().await;
    let status = status::summary(&mut *store.connection().await).await.unwrap();
    assert_eq!(status.runs_by_phase.len(), 7, "every phase is told");
    assert!(status.runs_by_phase.values().all(|&count| count == 0), "{status:?}");
    assert_eq!((status.parked, status.workers_alive, status.oldest_queued_s), (0, 0, None));
    assert!(status.database_version.starts_with(|digit: char| digit.is_ascii_digit()));
}

#[tokio::test]
async fn runs_and_workers_are_counted() {
    let store = Store::new().await;
    for _ in 0..2 {
        store.submit(&Request::default()).await;
    }
    sqlx::query("UPDATE runs SET created_at = now() - interval '1 hour'")
        .execute(store.pool())
        .await
        .unwrap();
    let parked = store.run_in("tearing_down").await;
    let (lease, _) = store.take(parked).await;
    lease::park(&mut *store.connection().await, lease, "no").await.unwrap();
    sqlx::query(
        "INSERT INTO apalis.workers (id, worker_type, storage_name, last_seen) VALUES
             ('one', 'runs', 'test', now()), ('its schedules', 'schedules', 'test', now()),
             ('two', 'runs', 'test', now()), ('gone', 'runs', 'test', now() - interval '2 minutes')",
    )
    .execute(store.pool())
    .await
    .unwrap();
    let status = status::summary(&mut *store.connection().await).await.unwrap();
    let phases: Vec<(&str, i64)> = status
        .runs_by_phase
        .iter()
        .map(|(phase, count)| (phase.as_str(), *count))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(phases, [("queued", 2), ("tearing_down", 1)]);
    assert_eq!((status.parked, status.workers_alive), (1, 2));
    assert!(status.oldest_queued_s.is_some_and(|age_s| (3600.0..3700.0).contains(&age_s)));
}
