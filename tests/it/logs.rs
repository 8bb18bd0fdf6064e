//! Log lines of a service, as programs and as people read them.

use std::process::Stdio;

use accelbench_tests::database::TestDatabase;
use accelbench_tests::installation::Installation;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// The first line that a server writes.
async fn first_line(format: &str) -> String {
    let database = TestDatabase::create().await.unwrap();
    let mut server = Command::new(Installation::program().unwrap())
        .args(["serve", "--offline", "--bind", "127.0.0.1:0", "--log-format", format])
        .env("DATABASE_URL", &database.url)
        .env("ACCELBENCH_SECRET_KEY", "0".repeat(64))
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stderr.take().unwrap());
    let line = lines.lines().next_line().await.unwrap().unwrap();
    server.kill().await.unwrap();
    line
}

#[tokio::test]
async fn lines_are_objects_or_sentences_as_the_operator_says() {
    let line: Value = serde_json::from_str(&first_line("json").await).unwrap();
    assert!(
        line["timestamp"].is_string() && line["level"] == "INFO" && line["message"].is_string(),
        "{line}"
    );
    let text = first_line("text").await;
    assert!(serde_json::from_str::<Value>(&text).is_err() && text.contains("INFO"), "{text}");
}
