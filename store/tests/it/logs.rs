//! The last part of what a run's processes wrote.

use accelbench_store::logs::{self, LogSource};

use crate::builders::{Request, Store, constraint};

#[tokio::test]
async fn a_later_log_takes_the_place_of_an_earlier_one() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let mut connection = store.connection().await;
    assert_eq!(logs::find(&mut connection, run_id, LogSource::Engine).await.unwrap(), None);
    for (content, truncated) in [("loading weights", false), ("… ready", true)] {
        logs::put(&mut connection, run_id, LogSource::Engine, content, truncated).await.unwrap();
    }
    let log = logs::find(&mut connection, run_id, LogSource::Engine).await.unwrap().unwrap();
    assert_eq!((log.content.as_str(), log.truncated), ("… ready", true));
    assert_eq!(logs::find(&mut connection, run_id, LogSource::Loadgen).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_is_at_most_one_mebibyte() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    let mut connection = store.connection().await;
    let most = "x".repeat(1024 * 1024);
    logs::put(&mut connection, run_id, LogSource::Loadgen, &most, true).await.unwrap();
    let refused = logs::put(&mut connection, run_id, LogSource::Loadgen, &format!("{most}x"), true).await;
    assert_eq!(constraint(refused), "run_logs_content_check");
}
