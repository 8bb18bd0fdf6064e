//! Where a person's token is, and where it is not.

use accelbench_core::run::{RunId, Verdict};
use accelbench_core::secret::HfToken;
use accelbench_store::secrets::{SecretKey, sealed_token};

use crate::builders::{Request, Store, submit};

const TOKEN: &str = "hf_abcdefghijklmnopqrstuvwxyz";

impl Store {
    async fn submit_with_token(&self, key: &SecretKey) -> RunId {
        let run_id = RunId::new();
        let sealed = key.seal(run_id, &HfToken::new(TOKEN).unwrap());
        let request = Request { hf_token_sealed: Some(sealed), ..Request::default() };
        let mut transaction = self.begin().await;
        submit(&mut transaction, run_id, &request).await.unwrap();
        transaction.commit().await.unwrap();
        run_id
    }

    async fn sealed(&self, run_id: RunId) -> Option<Vec<u8>> {
        sealed_token(&mut *self.connection().await, run_id).await.unwrap()
    }

    /// Every row that a run leaves, as text; bytes are in hexadecimal digits.
    async fn everything(&self) -> String {
        sqlx::query_scalar(
            "SELECT concat(
                 (SELECT string_agg(to_jsonb(runs)::text, '') FROM runs),
                 (SELECT string_agg(to_jsonb(run_events)::text, '') FROM run_events),
                 (SELECT string_agg(to_jsonb(results)::text, '') FROM results),
                 (SELECT string_agg(to_jsonb(load_reports)::text, '') FROM load_reports),
                 (SELECT string_agg(convert_from(job, 'UTF8'), '') FROM apalis.jobs))",
        )
        .fetch_one(self.pool())
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn a_token_is_kept_sealed_and_opens_for_its_own_run_alone() {
    let store = Store::new().await;
    let key = SecretKey::generate();
    let run_id = store.submit_with_token(&key).await;
    let sealed = store.sealed(run_id).await.expect("it is kept");
    assert_eq!(key.open(run_id, &sealed).unwrap().expose(), TOKEN);
    let other = store.submit(&Request::default()).await;
    assert!(key.open(other, &sealed).is_err());
    assert!(SecretKey::generate().open(run_id, &sealed).is_err());
}

#[tokio::test]
async fn a_token_stands_nowhere_in_the_database_and_goes_with_its_run() {
    let store = Store::new().await;
    let key = SecretKey::generate();
    let cancelled = store.submit_with_token(&key).await;
    store.end(cancelled, &Verdict::Cancelled).await;
    let succeeded = store.submit_with_token(&key).await;
    store.bring_to(succeeded, "tearing_down").await;

    let rows = store.everything().await;
    for run_id in [cancelled, succeeded] {
        let sealed = store.sealed(run_id).await.expect("a teardown may still need it");
        assert!(rows.contains(&hex::encode(sealed)), "the search sees sealed bytes");
    }
    for token in [TOKEN.to_owned(), hex::encode(TOKEN)] {
        assert!(!rows.contains(&token), "the token is in the database");
    }
    for run_id in [cancelled, succeeded] {
        store.bring_to(run_id, "finished").await;
        assert_eq!(store.sealed(run_id).await, None);
    }
}

#[tokio::test]
async fn a_run_without_a_token_has_none() {
    let store = Store::new().await;
    let run_id = store.submit(&Request::default()).await;
    assert_eq!(store.sealed(run_id).await, None);
    assert_eq!(store.sealed(RunId::new()).await, None);
}
