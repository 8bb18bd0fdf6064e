//! A person's Hugging Face token goes through a whole run: its engine sees it, and nobody else ever does.

use accelbench_core::run::Verdict;
use accelbench_tests::installation::{Installation, request};
use sqlx::{AssertSqlSafe, Row as _};

const TOKEN: &str = "hf_canaryInTheMineOfTokens42";

/// An engine that tells its token to everybody: it logs it, and then ends.
const INDISCREET: &str = "indiscreet=sh -c 'echo the token is $HF_TOKEN; echo; exit 3 # {port}'";

#[tokio::test]
async fn a_token_is_seen_by_its_engine_alone() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[INDISCREET]).unwrap();
    let mut request = request("indiscreet");
    request["hf_token"] = TOKEN.into();
    let run_id = installation.submit(&request).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();

    let reason = run.phase.verdict().and_then(Verdict::reason).unwrap();
    assert!(reason.contains("the token is ***"), "the engine did not get the token: {reason}");
    let log = installation.get(&format!("/api/v1/runs/{run_id}/logs/engine")).await.unwrap();
    assert!(log.as_str().unwrap().contains("the token is ***"), "{log}");
    assert_eq!(database_rows_with(&installation, TOKEN).await, Vec::<String>::new());
    assert_eq!(database_rows_with(&installation, &hex::encode(TOKEN)).await, Vec::<String>::new());
    assert!(!installation.logs().unwrap().contains(TOKEN), "the token is in a log");
    for path in ["", "/events", "/results"] {
        let answer = installation.get(&format!("/api/v1/runs/{run_id}{path}")).await.unwrap();
        assert!(!answer.to_string().contains(TOKEN), "the token is in the answer of {path}");
    }
    let page = installation.get(&format!("/runs/{run_id}")).await.unwrap();
    assert!(!page.to_string().contains(TOKEN), "the token is on the run's page");
    let sealed = "SELECT hf_token_sealed IS NULL FROM runs";
    assert!(sqlx::query_scalar::<_, bool>(sealed).fetch_one(&installation.database.pool).await.unwrap());
}

/// Every row of every table, the queue's too, whose text has `needle` in it.
async fn database_rows_with(installation: &Installation, needle: &str) -> Vec<String> {
    let pool = &installation.database.pool;
    let tables = "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
                  WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let mut found = Vec::new();
    for table in sqlx::query(tables).fetch_all(pool).await.unwrap() {
        let name: String = table.get("name");
        let rows = format!("SELECT t::text FROM {name} t WHERE position($1 IN t::text) > 0");
        let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(rows)).bind(needle);
        found.extend(rows.fetch_all(pool).await.unwrap().iter().map(|row| format!("{name}: {row}")));
    }
    found
}
