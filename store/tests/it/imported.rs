//! What others measured, on a database.

use accelbench_core::imported::ImportedResult;
use accelbench_store::imported::{self, ImportFilter};
use serde_json::{Value, json};

use crate::builders::{Store, constraint};

fn result(changes: &Value) -> ImportedResult {
    let mut record = json!({
        "source": {"name": "a lab"}, "model": "m/n", "hardware": {"accelerator_name": "H100-SXM"},
        "engine": {"name": "vLLM", "precision": "fp8"}, "kind": "online_serving",
        "offered_load": {"concurrency": 8}, "metrics": {"output_tokens_per_s": 100.0}, "caveats": ["old"],
    });
    for (key, value) in changes.as_object().unwrap() {
        record[key] = value.clone();
    }
    serde_json::from_value(record).unwrap()
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_and_once() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    let results = [result(&json!({})), result(&json!({"offered_load": null, "kind": "offline_batch"}))];
    assert_eq!(imported::record(&mut connection, &results, Some("ada")).await.unwrap(), 2);
    assert_eq!(imported::record(&mut connection, &results, Some("bob")).await.unwrap(), 0);
    let found = imported::list(&mut connection, &ImportFilter::default(), 10).await.unwrap();
    assert_eq!(found.iter().map(|it| it.result.clone()).collect::<Vec<_>>(), results);
    assert!(found.iter().all(|it| it.imported_by.as_deref() == Some("ada")));
    assert_eq!(found[0].imported_result_id, results[0].id());
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_database_too() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    for metrics in [json!({}), json!({"ttft_p50_ms": 0.0}), json!({"ttft_p50_ms": -1.5})] {
        let refused = imported::record(&mut connection, &[result(&json!({"metrics": metrics}))], None).await;
        assert_eq!(constraint(refused), "imported_metrics_exist", "{metrics}");
    }
}

#[tokio::test]
async fn what_a_person_imported_is_neither_changed_nor_deleted() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    imported::record(&mut connection, &[result(&json!({}))], Some("ada")).await.unwrap();
    imported::record(&mut connection, &[result(&json!({"model": "x/y"}))], None).await.unwrap();
    for (statement, refused) in [
        ("UPDATE imported_results SET imported_by = 'eve' WHERE imported_by IS NULL", true),
        ("DELETE FROM imported_results WHERE imported_by = 'ada'", true),
        ("DELETE FROM imported_results WHERE imported_by IS NULL", false),
    ] {
        let outcome = sqlx::query(statement).execute(&mut *connection).await;
        assert_eq!(outcome.is_err(), refused, "{statement}");
    }
}
