//! What the catalog keeps fresh, when, and for how much.

use std::time::Duration;

use accelbench_core::catalog::refresh::{Decision, Expectation, Reason, RefreshPlan};
use accelbench_core::observed::Observed;
use accelbench_core::run::{RunId, RunSpec};
use accelbench_store::catalog_targets::{self, PlanOptions};
use accelbench_store::models;
use serde_json::json;
use uuid::Uuid;

use crate::builders::{MODEL, Request, Store, raw, spec};

const WEEK: Duration = Duration::from_hours(7 * 24);

fn on_this_machine(concurrency: u32) -> RunSpec {
    spec(&json!({"load_points": [{"concurrency": concurrency}]}))
}

impl Store {
    async fn put(&self, concurrency: u32) -> Uuid {
        let spec = on_this_machine(concurrency);
        catalog_targets::put(&mut *self.connection().await, &spec, WEEK).await.unwrap()
    }

    async fn plan(&self) -> RefreshPlan {
        let options =
            PlanOptions { region: "us-east-1".to_owned(), budget_usd: Some(100.0), has_token: false };
        catalog_targets::plan(&mut *self.connection().await, &options).await.unwrap()
    }

    async fn decision(&self) -> Decision {
        let plan = self.plan().await;
        assert_eq!(plan.targets.len(), 1, "{plan:#?}");
        plan.targets[0].decision
    }

    /// The run that a target was refreshed by.
    async fn refresh(&self, target: Uuid, usd: f64) -> RunId {
        let run_id = self.submit(&Request::default()).await;
        let expected = Expectation { engine_image: None, hours: 0.5, usd: Observed::Value(usd) };
        let mut connection = self.connection().await;
        catalog_targets::note_submission(&mut connection, target, run_id, Reason::Age, &expected)
            .await
            .unwrap();
        run_id
    }

    /// As if the submission had been made days ago, which only one whom no trigger stops can write.
    async fn age(&self, run_id: RunId, days: u32) {
        let mut transaction = self.begin().await;
        sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *transaction).await.unwrap();
        let sql = format!(
            "UPDATE catalog_submissions SET submitted_at = now() - interval '{days} days' WHERE run_id = $1"
        );
        raw(&mut transaction, sql, run_id).await.unwrap();
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_target_is_due_until_it_has_a_fresh_run() {
    let store = Store::new().await;
    let target = store.put(1).await;
    assert_eq!(store.decision().await, Decision::Submit(Reason::NeverMeasured));
    let run_id = store.refresh(target, 1.0).await;
    assert_eq!(store.decision().await, Decision::UnderWay);
    store.age(run_id, 30).await;
    assert_eq!(store.decision().await, Decision::UnderWay, "an old run that never ended is not doubled");
    store.bring_to(run_id, "finished").await;
    store.age(run_id, 6).await;
    assert_eq!(store.decision().await, Decision::Fresh);
    store.age(run_id, 8).await;
    assert_eq!(store.decision().await, Decision::Submit(Reason::Age));
}

#[tokio::test]
async fn a_new_revision_of_the_model_makes_its_targets_due() {
    let store = Store::new().await;
    let target = store.put(1).await;
    let run_id = store.refresh(target, 1.0).await;
    store.bring_to(run_id, "finished").await;
    assert_eq!(store.decision().await, Decision::Fresh);
    let (model, revision) = (MODEL.parse().unwrap(), "0".repeat(40).parse().unwrap());
    models::add_revision(&mut *store.connection().await, &model, &revision).await.unwrap();
    assert_eq!(store.decision().await, Decision::Submit(Reason::NewRevision));
}

#[tokio::test]
async fn what_was_spent_in_a_week_counts_against_its_budget() {
    let store = Store::new().await;
    let target = store.put(1).await;
    let run_id = store.refresh(target, 70.0).await;
    store.refresh(target, 20.0).await;
    assert!((store.plan().await.budget.spent_usd - 90.0).abs() < 1e-9);
    store.age(run_id, 8).await;
    assert!((store.plan().await.budget.spent_usd - 20.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_cluster_that_no_worker_has_makes_a_target_unsupported() {
    let store = Store::new().await;
    let spec = spec(&json!({"platform": {"kind": "kubernetes", "engine": "vllm"}}));
    catalog_targets::put(&mut *store.connection().await, &spec, WEEK).await.unwrap();
    let plan = store.plan().await;
    assert_eq!(plan.targets[0].decision, Decision::Unsupported);
    assert_eq!(
        plan.targets[0].expected.absent_reason(),
        Some("no worker of this installation was given a cluster")
    );
}

#[tokio::test]
async fn the_same_request_is_one_target() {
    let store = Store::new().await;
    let target = store.put(1).await;
    assert_eq!(store.put(1).await, target);
    assert_ne!(store.put(2).await, target);
    assert_eq!(store.plan().await.targets.len(), 2);
}

#[tokio::test]
async fn a_release_brings_its_targets_and_takes_those_of_another_back() {
    let store = Store::new().await;
    let own = store.put(9).await;
    let release = async |concurrencies: &[u32]| {
        let specs: Vec<RunSpec> = concurrencies.iter().copied().map(on_this_machine).collect();
        catalog_targets::release(&mut *store.connection().await, &specs).await.unwrap();
        store.plan().await.targets.len()
    };
    assert_eq!(release(&[1, 2]).await, 3);
    assert_eq!(release(&[1, 2]).await, 3);
    assert_eq!(release(&[2]).await, 2);
    assert!(store.plan().await.targets.iter().any(|planned| planned.catalog_target_id == own));
}

#[tokio::test]
async fn a_disabled_target_is_not_planned_until_it_is_put_again() {
    let store = Store::new().await;
    store.put(1).await;
    sqlx::query("UPDATE catalog_targets SET enabled = false").execute(store.pool()).await.unwrap();
    assert!(store.plan().await.targets.is_empty());
    store.put(1).await;
    assert_eq!(store.plan().await.targets.len(), 1);
}
