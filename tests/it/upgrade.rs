//! An upgrade while it rolls out: servers and workers of this release meet the schema of a newer one, which added what
//! they do not know.

use std::process::Stdio;

use accelbench_core::run::Verdict;
use accelbench_tests::installation::{Installation, request};
use serde_json::Value;
use tokio::process::Command;

/// What a newer release may do: add. deploy/checks holds our own migrations to it.
const NEWER: &str = "
    ALTER TABLE runs ADD COLUMN of_a_newer_release text;
    ALTER TABLE results ADD COLUMN of_a_newer_release bigint NOT NULL DEFAULT 0;
    ALTER TABLE run_events ADD COLUMN of_a_newer_release jsonb;
    ALTER TABLE schedule_ticks ADD COLUMN of_a_newer_release text;
    CREATE TABLE things_of_a_newer_release (id bigint PRIMARY KEY);
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (999999999999999, 'of a newer release', true, '\\x00', 0)";

#[tokio::test]
async fn parts_of_this_release_work_on_the_schema_of_the_next() {
    let mut installation = Installation::start().await.unwrap();
    let pool = installation.database.pool.clone();
    sqlx::raw_sql(NEWER).execute(&pool).await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded));
    assert_eq!(installation.results(&run_id).await.unwrap().len(), 2);
    installation.get("/api/v1/catalog").await.unwrap();

    let program = async |arguments: &[&str]| {
        let mut command = Command::new(Installation::program().unwrap());
        command.args(arguments).env("DATABASE_URL", &installation.database.url).stdin(Stdio::null());
        command.output().await.unwrap()
    };
    let doctor = program(&["--server", &installation.url, "doctor", "-o", "json"]).await;
    let answer: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let findings = answer["findings"].as_array().unwrap();
    let migrations = findings.iter().find(|finding| finding["check"] == "migrations").unwrap();
    assert_eq!(migrations["outcome"], "warn", "{migrations}");

    let migrate = program(&["migrate"]).await;
    assert!(!migrate.status.success(), "an older release must not touch a newer schema");
    let said = String::from_utf8(migrate.stderr).unwrap();
    assert!(said.contains("999999999999999"), "{said}");
}
