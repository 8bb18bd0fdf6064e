//! `accelbench bench`: the first thing that a newcomer tries, without any server of ours.

use std::process::{Output, Stdio};

use accelbench_core::load::{LoadReport, report_schema};
use accelbench_tests::installation::Installation;
use serde_json::Value;
use tokio::process::Command;

use crate::endpoint::endpoint;

async fn bench(url: &str, more: &[&str]) -> Output {
    let mut command = Command::new(Installation::program().unwrap());
    command.args(["bench", url, "--input-len", "16", "--output-len", "8"]);
    command.args(["--min-duration", "1", "--min-requests", "5"]).args(more).stdin(Stdio::null());
    command.output().await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_server_is_measured_with_closed_and_open_loops() {
    let url = endpoint("org/model").await;
    let json =
        bench(&url, &["--concurrency", "2", "--rate", "20", "--arrivals", "constant", "-o", "json"]).await;
    assert!(json.status.success(), "{}", text(&json.stderr));
    let validator = jsonschema::validator_for(&report_schema()).unwrap();
    for report in serde_json::from_slice::<Vec<Value>>(&json.stdout).unwrap() {
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let reports: Vec<LoadReport> = serde_json::from_slice(&json.stdout).unwrap();
    let loads: Vec<String> = reports.iter().map(|report| report.offered_load.to_string()).collect();
    assert_eq!(loads, ["concurrency 2", "20 requests/s constant"]);
    assert!(
        reports.iter().all(|report| report.failed() == 0 && (report.output_tokens.mean - 8.0).abs() < 0.5)
    );

    let table = bench(&url, &["--concurrency", "1"]).await;
    assert!(table.status.success() && text(&table.stdout).contains("TTFT p50 ms"), "{}", text(&table.stdout));
    assert!(text(&table.stderr).contains("concurrency 1: "), "{}", text(&table.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_measured_is_said_at_once() {
    let url = endpoint("org/model").await;
    for (url, arguments, expected) in [
        (url.as_str(), ["--model", "org/other"].as_slice(), "does not serve `org/other` but org/model"),
        (url.as_str(), &["--rate", "0"], "0 requests/s is not within"),
        ("http://127.0.0.1:9/", &[], "does not list the server's models"),
        ("ftp://127.0.0.1/", &[], "is no http:// or https:// address"),
    ] {
        let refused = bench(url, arguments).await;
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{arguments:?}");
        assert!(text(&refused.stderr).contains(expected), "{}", text(&refused.stderr));
    }
}
