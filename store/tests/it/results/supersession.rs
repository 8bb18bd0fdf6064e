//! A wrong result stays, and points to the one that took its place.

use accelbench_core::result::{BenchmarkResult, ResultId};
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{Error, Result, models};
use serde_json::json;
use uuid::Uuid;

use crate::builders::{Request, Store, constraint, model, spec};

impl Store {
    async fn supersede(&self, old: &BenchmarkResult, by: &BenchmarkResult) -> Result<()> {
        results::supersede(&mut *self.connection().await, old.id, by.id, "the clock was wrong").await
    }

    async fn recorded(&self, request: &Request) -> Vec<BenchmarkResult> {
        let run_id = self.submit(request).await;
        self.bring_to(run_id, "finished").await;
        self.results(run_id).await
    }
}

#[tokio::test]
async fn a_superseded_result_stays_and_is_listed_only_on_request() {
    let store = Store::new().await;
    let old = store.recorded(&Request::default()).await;
    let new = store.recorded(&Request::default()).await;
    store.supersede(&old[0], &new[0]).await.unwrap();

    let mut connection = store.connection().await;
    let found = results::find(&mut connection, old[0].id).await.unwrap();
    assert_eq!(found, BenchmarkResult { superseded_by: Some(new[0].id), ..old[0].clone() });
    let all = ResultFilter { include_superseded: true, ..ResultFilter::default() };
    for (filter, expected) in [(ResultFilter::default(), 3), (all, 4)] {
        assert_eq!(results::list(&mut connection, &filter, 10).await.unwrap().len(), expected);
    }
}

#[tokio::test]
async fn only_a_later_result_of_the_same_kind_takes_a_place() {
    let store = Store::new().await;
    let changes = json!({"model": "acme/other"});
    models::add(&mut *store.connection().await, &model(&changes)).await.unwrap();
    let old = store.recorded(&Request::default()).await;
    let new = store.recorded(&Request::default()).await;
    let other = store.recorded(&Request { spec: spec(&changes), ..Request::default() }).await;
    for (what, old, by) in [
        ("an earlier one", &new[0], &old[0]),
        ("itself", &old[0], &old[0]),
        ("one of the same run", &old[0], &old[1]),
        ("one of another model", &old[0], &other[0]),
    ] {
        assert_eq!(constraint(store.supersede(old, by).await), "supersede_like_by_like", "{what}");
    }
    store.supersede(&old[0], &new[0]).await.unwrap();
    let newer = store.recorded(&Request::default()).await;
    let twice = store.supersede(&old[0], &newer[0]).await;
    assert_eq!(constraint(twice), "result_supersessions_pkey");
    // The one that took the place can be superseded in its turn.
    store.supersede(&new[0], &newer[0]).await.unwrap();
}

#[tokio::test]
async fn a_supersession_has_a_reason_and_stays() {
    let store = Store::new().await;
    let old = store.recorded(&Request::default()).await;
    let new = store.recorded(&Request::default()).await;
    let silent = results::supersede(&mut *store.connection().await, old[0].id, new[0].id, "").await;
    assert_eq!(constraint(silent), "result_supersessions_reason_check");
    store.supersede(&old[0], &new[0]).await.unwrap();
    for change in ["UPDATE result_supersessions SET reason = 'x'", "DELETE FROM result_supersessions"] {
        let outcome = sqlx::query(change).execute(store.pool()).await;
        assert_eq!(constraint(outcome.map_err(Into::into)), "result_supersessions_append_only", "{change}");
    }
}

#[tokio::test]
async fn unknown_results_are_not_found() {
    let store = Store::new().await;
    let known = store.recorded(&Request::default()).await.remove(0).id;
    let unknown = ResultId(Uuid::now_v7());
    for (old, by) in [(known, unknown), (unknown, known)] {
        let outcome = results::supersede(&mut *store.connection().await, old, by, "x").await;
        assert!(matches!(outcome, Err(Error::NotFound { what: "result", .. })), "{outcome:?}");
    }
}
