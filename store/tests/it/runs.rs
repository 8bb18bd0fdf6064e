//! Submitting, finding and listing runs.

use accelbench_core::run::{EventKind, Phase, Priority, RunId};
use accelbench_store::runs::{RunFilter, Submitted};
use accelbench_store::{Error, events, models, runs};
use serde_json::json;

use crate::builders::{MODEL, Request, Store, constraint, model, spec, submit};

#[tokio::test]
async fn a_submission_writes_run_event_and_tick_together() {
    let store = Store::new().await;
    let request = Request { submitted_by: Some("ada"), ..Request::default() };
    let run_id = store.submit(&request).await;

    let run = store.run(run_id).await;
    assert_eq!((run.phase, run.spec, run.priority), (Phase::Queued, request.spec, Priority::Person));
    assert_eq!((run.submitted_by.as_deref(), run.attempts, run.deadline_at), (Some("ada"), 0, None));
    let events = events::list_after(&mut *store.connection().await, run_id, 0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].sequence, events[0].kind), (1, EventKind::Submitted));
    assert_eq!(store.ticks(run_id).await, 1);
}

#[tokio::test]
async fn the_payload_of_a_tick_is_the_run_id_alone() {
    let store = Store::new().await;
    let run_id = store.submit(&Request { submitted_by: Some("ada"), ..Request::default() }).await;
    let payload: String = sqlx::query_scalar("SELECT convert_from(job, 'UTF8') FROM apalis.jobs")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(payload, json!({"run_id": run_id}).to_string());
}

#[tokio::test]
async fn a_submission_rolled_back_leaves_nothing() {
    let store = Store::new().await;
    let mut transaction = store.begin().await;
    submit(&mut transaction, RunId::new(), &Request::default()).await.unwrap();
    transaction.rollback().await.unwrap();
    let left = "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM run_events)
        + (SELECT count(*) FROM apalis.jobs)";
    assert_eq!(store.count(left).await, 0);
}

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_run() {
    let store = Store::new().await;
    let request = Request { idempotency_key: Some("once"), ..Request::default() };
    let first = store.submit(&request).await;
    let again = submit(&mut *store.connection().await, RunId::new(), &request).await.unwrap();
    assert_eq!(again, Submitted::Existing(first));
    assert_eq!(store.ticks(first).await, 1);
    assert_eq!(store.count("SELECT count(*) FROM runs").await, 1);
}

#[tokio::test]
async fn many_submissions_at_once_with_one_key_make_one_run() {
    let store = Store::new().await;
    let request = Request { idempotency_key: Some("once"), ..Request::default() };
    let submissions = (0..8).map(|_| async {
        let mut transaction = store.begin().await;
        let submitted = submit(&mut transaction, RunId::new(), &request).await.unwrap();
        transaction.commit().await.unwrap();
        submitted
    });
    let submitted = futures::future::join_all(submissions).await;
    let new: Vec<RunId> = submitted
        .iter()
        .filter_map(|submitted| match submitted {
            Submitted::New(run_id) => Some(*run_id),
            Submitted::Existing(_) => None,
        })
        .collect();
    let [run_id] = new[..] else { panic!("{submitted:?}") };
    let existing = submitted.iter().filter(|submitted| **submitted == Submitted::Existing(run_id)).count();
    assert_eq!((existing, store.ticks(run_id).await), (7, 1));
}

#[tokio::test]
async fn what_a_run_refers_to_must_exist() {
    let store = Store::new().await;
    for (changes, expected) in [
        (json!({"model": "acme/unknown"}), "runs_model_fkey"),
        (json!({"instance_type": "p5.48xlarge"}), "runs_instance_type_fkey"),
        (json!({"revision": "0123456789abcdef0123456789abcdef01234567"}), "runs_model_revision_fkey"),
    ] {
        let request = Request { spec: spec(&changes), ..Request::default() };
        let refused = submit(&mut *store.connection().await, RunId::new(), &request).await;
        assert_eq!(constraint(refused), expected, "{changes}");
    }
}

#[tokio::test]
async fn runs_are_listed_by_filter_the_newest_first() {
    let store = Store::new().await;
    let other = json!({"model": "acme/other"});
    models::add(&mut *store.connection().await, &model(&other)).await.unwrap();
    let first = store.submit(&Request { submitted_by: Some("ada"), ..Request::default() }).await;
    let second = store.submit(&Request { spec: spec(&other), ..Request::default() }).await;
    let third = store.run_in("deploying").await;

    let all = RunFilter::default();
    for (filter, expected) in [
        (all.clone(), vec![third, second, first]),
        (RunFilter { run_id: Some(second), ..all.clone() }, vec![second]),
        (RunFilter { model: Some(MODEL.to_owned()), ..all.clone() }, vec![third, first]),
        (RunFilter { instance_type: Some("local".to_owned()), ..all.clone() }, vec![]),
        (RunFilter { submitted_by: Some("ada".to_owned()), ..all.clone() }, vec![first]),
        (RunFilter { phase: Some("queued".to_owned()), ..all.clone() }, vec![second, first]),
        (RunFilter { before: Some(third), ..all.clone() }, vec![second, first]),
    ] {
        let listed = runs::list(&mut *store.connection().await, &filter, 10).await.unwrap();
        let ids: Vec<RunId> = listed.iter().map(|run| run.id).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
    assert_eq!(runs::list(&mut *store.connection().await, &all, 2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_run_that_does_not_exist_is_not_found() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    let unknown = RunId::new();
    let found = runs::find(&mut connection, unknown).await;
    assert!(matches!(found, Err(Error::NotFound { what: "run", .. })), "{found:?}");
    let hash = runs::dataset_sha256(&mut connection, unknown).await;
    assert!(matches!(hash, Err(Error::NotFound { what: "run", .. })), "{hash:?}");
    let cancelled = runs::request_cancel(&mut connection, unknown).await;
    assert!(matches!(cancelled, Err(Error::NotFound { what: "run", .. })), "{cancelled:?}");
}

#[tokio::test]
async fn only_runs_that_may_have_something_on_a_platform_are_alive() {
    let store = Store::new().await;
    store.run_in("finished").await;
    let tearing_down = store.run_in("tearing_down").await;
    assert_eq!(runs::alive(&mut *store.connection().await).await.unwrap(), [tearing_down]);
}
