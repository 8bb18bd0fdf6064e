//! `accelbench bench`: the first thing that a newcomer tries, without any server of ours.

use std::process::{Output, Stdio};

use accelbench_core::load::{LoadReport, report_schema};
use accelbench_core::validity::Outcome;
use accelbench_tests::installation::Installation;
use serde_json::Value;
use tokio::process::Command;

use crate::endpoint::{endpoint, endpoint_with};

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

async fn bench_with(url: &str, dataset: &str, more: &[&str]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dataset).unwrap();
    let mut command = Command::new(Installation::program().unwrap());
    command.args(["bench", url, "-o", "json", "--min-duration", "1", "--min-requests", "5", "--dataset"]);
    command.arg(file.path()).args(more).stdin(Stdio::null());
    command.output().await.unwrap()
}

fn only_report(output: &Output) -> LoadReport {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let reports: Vec<LoadReport> = serde_json::from_slice(&output.stdout).unwrap();
    reports.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_replayed_with_its_moments_and_lengths() {
    let url = endpoint("org/model").await;
    let requests = (0..400)
        .map(|request| format!("{},{},{}\n", f64::from(request) * 0.1, 10 + request % 3, 4 + request % 2));
    let trace = format!("t_s,input_len,output_len\n{}", requests.collect::<String>());
    let report = only_report(&bench_with(&url, &trace, &["--replay", "2"]).await);
    assert_eq!(report.offered_load.to_string(), "trace at speed 2");
    let held = report.checks.iter().find(|check| check.name == "trace_held").unwrap();
    assert_eq!(held.outcome, Outcome::Pass, "{}", held.sentence);
    assert!((report.requests_per_s - 20.0).abs() < 4.0, "{}", report.requests_per_s);
    assert!((10.0..=12.0).contains(&report.input_tokens.mean) && report.output_tokens.max < 5.5);

    let refused = bench_with(&url, "{\"prompt\":\"a\"}", &["--replay", "1"]).await;
    assert!(text(&refused.stderr).contains("only a trace can be replayed"), "{}", text(&refused.stderr));
    let refused = bench_with(&url, "t_s,input_len,output_len\n1,2,3\n0,2,3\n", &["--replay", "1"]).await;
    assert!(text(&refused.stderr).contains("line 3: t_s is 0"), "{}", text(&refused.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_and_share_gpt_are_asked_as_they_are() {
    let url = endpoint("org/model").await;
    let chat = r#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why is the sky blue?"}],"output_tokens":6}"#;
    let report = only_report(&bench_with(&url, chat, &["--concurrency", "2", "--output-len", "9"]).await);
    assert_eq!((report.failed(), report.output_tokens.max.round() as u64), (0, 6));

    let share_gpt = r#"[{"conversations":[{"from":"human","value":"Why is the sky blue?"},{"from":"gpt","value":"Because small things scatter short waves more than long ones."}]}]"#;
    let report =
        only_report(&bench_with(&url, share_gpt, &["--concurrency", "1", "--output-len", "90"]).await);
    assert!((5..30).contains(&(report.output_tokens.max.round() as u64)), "{:?}", report.output_tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_come_from_distributions() {
    let url = endpoint("org/model").await;
    let arguments = ["--concurrency", "4", "--input-len", "uniform:10:30", "--output-len", "uniform:4:8"];
    let report = only_report(&bench_with(&url, "{\"prompt\":\"Some words to be cut.\"}", &arguments).await);
    assert!(report.input_tokens.min >= 9.5 && report.input_tokens.max < 30.5, "{:?}", report.input_tokens);
    assert!(report.input_tokens.max > report.input_tokens.min + 5.0, "{:?}", report.input_tokens);
    assert!((3.5..8.5).contains(&report.output_tokens.mean));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_measured_is_written_in_the_forms_of_other_tools() {
    let url = endpoint("org/model").await;
    let measured = bench(&url, &["--concurrency", "2", "-o", "json"]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &measured.stdout).unwrap();
    let report: &Value = &serde_json::from_slice::<Value>(&measured.stdout).unwrap()[0];
    let export = async |form: &str| -> Value {
        let mut command = Command::new(Installation::program().unwrap());
        command.args(["export", "--form", form, "--model", "org/model"]).arg(file.path());
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let vllm = export("vllm").await;
    assert_eq!(
        (&vllm["output_throughput"], &vllm["max_concurrency"]),
        (&report["output_tokens_per_s"], &2.into())
    );
    let llm_d = export("llm-d").await;
    let rate = &llm_d["results"]["request_performance"]["aggregate"]["throughput"]["request_rate"];
    assert_eq!((&rate["mean"], &rate["units"]), (&report["requests_per_s"], &"queries/s".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_grow_by_what_was_said() {
    let url = endpoint("org/model").await;
    let turns = ["--turns", "3", "--concurrency", "2", "--input-len", "20", "--output-len", "10"];
    let report = only_report(&bench_with(&url, "{\"prompt\":\"Some words to be cut.\"}", &turns).await);
    assert_eq!(report.failed(), 0);
    // 20 tokens, then those and 10 of the answer and 20 more, and so on.
    assert!((18.0..25.0).contains(&report.input_tokens.min), "{:?}", report.input_tokens);
    assert!((70.0..100.0).contains(&report.input_tokens.max), "{:?}", report.input_tokens);
    let refused = bench(&url, &["--turns", "2", "--rate", "5"]).await;
    assert!(text(&refused.stderr).contains("closed loop"), "{}", text(&refused.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_key_is_given_it_from_the_environment() {
    let url = endpoint_with("org/model", &["--api-key", "sk-of-the-engine"]).await;
    let bench = async |key: &str| {
        let mut command = Command::new(Installation::program().unwrap());
        command.args(["bench", &url, "--concurrency", "2", "--input-len", "16", "--output-len", "8"]);
        command.args(["--min-duration", "1", "--min-requests", "5"]).env("ACCELBENCH_ENGINE_API_KEY", key);
        command.output().await.unwrap()
    };
    let measured = bench("sk-of-the-engine").await;
    assert!(measured.status.success(), "{}", text(&measured.stderr));
    assert!(!text(&measured.stderr).contains("sk-of-the-engine"));
    let refused = bench("sk-of-another").await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("401"), "{}", text(&refused.stderr));
}
