//! The doctor against a real server, a real database, and what is missing.

use std::process::Output;

use accelbench_tests::installation::Installation;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tokio::process::Command;

async fn doctor(server: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(Installation::program().unwrap());
    command.args(["--server", server, "doctor"]).args(arguments).env_clear();
    command.output().await.unwrap()
}

/// The outcome of one check.
fn outcome<'a>(answer: &'a Value, part: &str, check: &str) -> &'a str {
    let findings = answer["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["part"] == part && finding["check"] == check);
    let found = found.ok_or_else(|| format!("there is no {part} {check} in {answer:#}")).unwrap();
    found["outcome"].as_str().unwrap()
}

#[tokio::test]
async fn a_sound_installation_passes_and_what_is_not_told_is_skipped() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    installation
        .until("the worker is heard of", async || {
            Ok(installation.get("/api/v1/status").await?["workers_alive"] == 1)
        })
        .await
        .unwrap();
    let url = installation.database.url.clone();
    let output = doctor(&installation.url, &["-o", "json", "--database-url", &url]).await;
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (part, check) in [
        ("server", "reachable"),
        ("server", "version"),
        ("server", "workers"),
        ("database", "reachable"),
        ("database", "role"),
        ("database", "migrations"),
        ("database", "privileges"),
        ("database", "clock"),
    ] {
        assert_eq!(outcome(&answer, part, check), "pass", "{part} {check}");
    }
    assert_eq!(outcome(&answer, "database", "ownership"), "warn", "tests are the owner of their tables");
    assert_eq!(outcome(&answer, "database", "certificate"), "warn");
    assert_eq!(outcome(&answer, "cluster", "reachable"), "skip");
    assert_eq!(outcome(&answer, "hub", "token"), "skip");

    let table = doctor(&installation.url, &[]).await;
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("name it with --database-url"), "{table}");
}

#[tokio::test]
async fn every_trouble_is_named_and_ends_in_a_failure() {
    let installation = Installation::start().await.unwrap();
    let pool = &installation.database.pool;
    // A user of this test alone, as one is left behind who was forgotten in the grants.
    let name = format!("stranger_{}", uuid::Uuid::now_v7().simple());
    let make = format!(
        "CREATE ROLE {name} LOGIN PASSWORD 'a-word'; GRANT USAGE ON SCHEMA apalis TO {name}; GRANT SELECT ON _sqlx_migrations TO {name}"
    );
    sqlx::raw_sql(AssertSqlSafe(make)).execute(pool).await.unwrap();
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .execute(pool)
        .await
        .unwrap();
    let mut url: url::Url = installation.database.url.parse().unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("a-word")).unwrap();
    let output = doctor(&installation.url, &["-o", "json", "--database-url", url.as_str()]).await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP OWNED BY {name}; DROP ROLE {name}")))
        .execute(pool)
        .await
        .unwrap();

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome(&answer, "server", "workers"), "fail");
    assert_eq!(outcome(&answer, "database", "migrations"), "fail");
    assert_eq!(outcome(&answer, "database", "privileges"), "fail");
    assert_eq!(outcome(&answer, "database", "ownership"), "pass");
}

#[tokio::test]
async fn nothing_that_answers_is_a_table_of_failures_and_no_crash() {
    // Ports of this machine that nobody listens on.
    let output = doctor(
        "http://127.0.0.1:9",
        &[
            "-o",
            "json",
            "--database-url",
            "postgres://a@127.0.0.1:9/a",
            "--kubernetes",
            "/nowhere.json",
            "--hf-token-file",
            "/nowhere.txt",
        ],
    )
    .await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (part, check) in
        [("server", "reachable"), ("database", "reachable"), ("cluster", "settings"), ("hub", "token")]
    {
        assert_eq!(outcome(&answer, part, check), "fail", "{part}");
    }
    let findings = answer["findings"].as_array().unwrap();
    assert!(
        findings.iter().all(|finding| finding["outcome"] == "pass" || finding["advice"].is_string()),
        "{answer:#}"
    );
}
