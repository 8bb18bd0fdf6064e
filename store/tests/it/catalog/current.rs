//! Which result of a configuration is the current one, and which stand behind it.

use accelbench_core::catalog::CatalogItem;
use accelbench_core::load::LoadReport;
use accelbench_core::observed::Observed;
use accelbench_core::result::ResultId;
use accelbench_core::validity::{Check, Outcome};
use accelbench_store::catalog::{self, CatalogFilter, Pricing};
use accelbench_store::{models, results};
use serde_json::json;

use super::{Measured, by};
use crate::builders::{MODEL, Store};

const OLD: &str = "0000000000000000000000000000000000000001";
const NEW: &str = "0000000000000000000000000000000000000002";

impl Store {
    async fn revision(&self, revision: &str) {
        let (model, revision) = (MODEL.parse().unwrap(), revision.parse().unwrap());
        models::add_revision(&mut *self.connection().await, &model, &revision).await.unwrap();
    }

    async fn only(&self) -> CatalogItem {
        let mut current = self.current().await;
        assert_eq!(current.len(), 1, "{current:#?}");
        current.remove(0)
    }

    async fn result_of(&self, measured: Measured) -> ResultId {
        let run_id = self.measure(measured).await;
        self.results(run_id).await[0].id
    }

    async fn history(&self, of: ResultId) -> Vec<ResultId> {
        let pricing = Pricing::on_demand("us-east-1");
        let page = catalog::history(&mut *self.connection().await, of, &pricing, 10).await.unwrap();
        page.items.iter().map(|item| item.result_id).collect()
    }
}

fn invalid() -> Measured {
    let fail = |report: &mut LoadReport| {
        report.checks = vec![Check {
            name: "error_share".to_owned(),
            outcome: Outcome::Fail,
            observed: 0.5,
            limit: 0.01,
            sentence: "half of the requests failed".to_owned(),
        }];
    };
    Measured { report: Box::new(fail), ..Measured::default() }
}

#[tokio::test]
async fn the_newest_valid_result_is_current_and_those_before_it_are_its_history() {
    let store = Store::new().await;
    let first = store.result_of(Measured::at(100.0)).await;
    let second = store.result_of(Measured::at(200.0)).await;
    let broken = store.result_of(invalid()).await;
    let current = store.only().await;
    assert_eq!(current.result_id, second, "what fails a check takes no place");
    for of in [first, second, broken] {
        assert_eq!(store.history(of).await, [second, first]);
    }
    store.measure(Measured::at(1.0).on("g6e.xlarge", 8)).await;
    assert_eq!(store.current().await.len(), 2, "another load is another configuration");
}

#[tokio::test]
async fn the_result_before_returns_when_the_current_one_is_superseded() {
    let store = Store::new().await;
    let first = store.result_of(Measured::at(100.0)).await;
    let wrong = store.result_of(Measured::at(200.0)).await;
    let repeated = store.result_of(invalid()).await;
    let mut connection = store.connection().await;
    results::supersede(&mut connection, wrong, repeated, "wrong driver").await.unwrap();
    assert_eq!(store.only().await.result_id, first);
    let last = store.result_of(Measured::at(300.0)).await;
    results::supersede(&mut connection, first, last, "the same").await.unwrap();
    assert_eq!(store.only().await.result_id, last);
    assert_eq!(store.history(wrong).await, [last]);
}

#[tokio::test]
async fn a_configuration_without_a_valid_result_leaves_the_catalog() {
    let store = Store::new().await;
    let only = store.result_of(Measured::default()).await;
    let broken = store.result_of(invalid()).await;
    results::supersede(&mut *store.connection().await, only, broken, "all wrong").await.unwrap();
    assert!(store.current().await.is_empty());
    assert!(store.history(only).await.is_empty());
}

#[tokio::test]
async fn the_revisions_of_a_model_are_one_line_of_which_the_newest_counts() {
    let store = Store::new().await;
    store.revision(OLD).await;
    store.revision(NEW).await;
    let of = |revision: &str| Measured { spec: json!({"revision": revision}), ..Measured::default() };
    let new = Measured { provenance: |it| it.revision = Observed::Value(NEW.parse().unwrap()), ..of(NEW) };
    let old = Measured { provenance: |it| it.revision = Observed::Value(OLD.parse().unwrap()), ..of(OLD) };
    let new = store.result_of(new).await;
    let old = store.result_of(old).await;
    let unnamed = store.result_of(Measured::default()).await;
    assert_eq!(store.only().await.result_id, new, "one who measures an old revision again hides nothing");
    assert_eq!(store.history(new).await, [new, old, unnamed]);
    for (revision, found) in [(NEW, 1), (OLD, 0)] {
        let filter = CatalogFilter { revision: Some(revision.to_owned()), ..CatalogFilter::default() };
        assert_eq!(store.items(filter, by("recorded_at")).await.len(), found, "{revision}");
    }
}

#[tokio::test]
async fn a_result_that_is_recorded_while_another_is_superseded_stays() {
    let store = Store::new().await;
    let wrong = store.result_of(Measured::at(100.0)).await;
    let repeated = store.result_of(invalid()).await;
    let mut open = store.begin().await;
    results::supersede(&mut open, wrong, repeated, "wrong").await.unwrap();
    let (last, ()) = tokio::join!(store.result_of(Measured::at(300.0)), async {
        tokio::task::yield_now().await;
        open.commit().await.unwrap();
    });
    assert_eq!(store.only().await.result_id, last);
}
