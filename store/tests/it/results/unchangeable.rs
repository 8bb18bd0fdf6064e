//! There is no way to change a result.

use sqlx::AssertSqlSafe;

use crate::builders::{Store, constraint};

#[tokio::test]
async fn results_cannot_be_updated_deleted_or_truncated() {
    let store = Store::new().await;
    store.run_in("finished").await;
    for change in [
        "UPDATE results SET submitted_by = 'somebody else'",
        "DELETE FROM results",
        "TRUNCATE results CASCADE",
    ] {
        let outcome = sqlx::query(change).execute(store.pool()).await;
        assert_eq!(constraint(outcome.map_err(Into::into)), "results_append_only", "{change}");
    }
    assert_eq!(store.count("SELECT count(*) FROM results").await, 2);
}

#[tokio::test]
async fn what_results_rest_on_cannot_be_emptied() {
    let store = Store::new().await;
    store.run_in("finished").await;
    for table in ["run_events", "load_reports", "result_supersessions"] {
        let truncate = format!("TRUNCATE {table} CASCADE");
        let outcome = sqlx::query(AssertSqlSafe(truncate)).execute(store.pool()).await;
        assert_eq!(constraint(outcome.map_err(Into::into)), format!("{table}_append_only"));
    }
    // Each of these reaches a table that refuses.
    for table in ["runs", "models", "instance_types", "datasets"] {
        let truncate = format!("TRUNCATE {table} CASCADE");
        let outcome = sqlx::query(AssertSqlSafe(truncate)).execute(store.pool()).await;
        let refused_by = constraint(outcome.map_err(Into::into));
        assert!(refused_by.ends_with("_append_only"), "{table}: {refused_by}");
    }
}

#[tokio::test]
async fn nobody_but_the_owner_has_any_right_on_results() {
    let store = Store::new().await;
    let rights = "SELECT count(*) FROM information_schema.role_table_grants
        WHERE table_name = 'results' AND grantee <> current_user";
    assert_eq!(store.count(rights).await, 0);
}
