//! What follows on a measurement: judgements, comparisons, and the same once more.

use accelbench_tests::installation::Installation;
use serde_json::Value;

use super::{SHORT, ask, ask_with, json, problem, program, read, told};
use crate::endpoint::{endpoint, simulated};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_judged_compared_and_repeated() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    installation
        .until("the engine is offered", async || {
            Ok(installation.get("/api/v1/engines").await?["engines"].to_string().contains("simulator"))
        })
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("report.xml");
    let judged = |condition: &str| {
        let more = ["--assert", condition, "--junit", junit.to_str().unwrap(), "-o", "json"];
        ask(&installation, &[SHORT.as_slice(), &more].concat())
    };
    let kept = judged("ttft_p50<60s");
    let results = json(&kept);
    assert!(problem(&kept).contains("ttft_p50_ms<60000, and it is "), "{kept:?}");
    assert!(read(&junit).contains(r#"failures="0""#), "{}", read(&junit));
    let broken = judged("output_tokens_per_s>=1000000000");
    assert_eq!(broken.status.code(), Some(99), "{broken:?}");
    assert!(read(&junit).contains("and it is"), "{}", read(&junit));

    let first = results[0]["id"].as_str().unwrap();
    let second =
        serde_json::from_slice::<Value>(&broken.stdout).unwrap()[0]["id"].as_str().unwrap().to_owned();
    let compared =
        json(&ask_with(&installation, &format!("{first}\n{second}\n"), &["compare", "-", "-o", "json"]));
    let columns = compared[0]["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 2, "{compared}");
    assert!(columns.iter().all(|column| column["numbers"]["output_tokens_per_s"]["standing"] != "unranked"));
    let by_model = ["compare", "--model", "meta-llama/Llama-3.1-8B", "--instances", "g6e.xlarge,p5.48xlarge"];
    let table = ask(&installation, &[by_model.as_slice(), &["--origin", "simulated"]].concat());
    assert!(
        told(&table).contains("output_tokens_per_s") && problem(&table).contains("on p5.48xlarge"),
        "{table:?}"
    );
    let none = ask(&installation, &by_model);
    assert_eq!(none.status.code(), Some(3), "{none:?}");

    let cost = json(&ask(&installation, &["cost", first, "-o", "json"]));
    assert!(cost[0]["costs"]["instance_per_hour"]["value"].as_f64().unwrap() > 1.0, "{cost}");
    let shown = json(&ask(&installation, &["results", "show", first, "-o", "json"]));
    assert_eq!(shown["id"], *first);

    let again = ask(&installation, &["run", "--like", first, "-o", "json"]);
    let pairs = json(&again);
    assert!(
        pairs.as_array().unwrap().iter().any(|pair| pair["difference"]["verdict"].is_string()),
        "{pairs}"
    );
    assert!(problem(&again).contains("clear difference") || problem(&again).contains("differ"), "{again:?}");
    let runs = json(&ask(&installation, &["runs", "list", "-o", "json"]));
    let (newest, oldest) = (&runs[0]["spec"], &runs[2]["spec"]);
    assert_eq!(newest, oldest, "the same configuration");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_comes_from_a_file_or_stdin() {
    let installation = Installation::start().await.unwrap();
    installation.offer_simulator().await.unwrap();
    let request = "model: meta-llama/Llama-3.1-8B\ninstance_type: g6e.xlarge\nplatform: {kind: local, engine: simulator}\n\
                   load_points:\n  - concurrency: 3\n";
    let run_id = told(&ask_with(&installation, request, &["run", "-f", "-", "--user", "somebody"]));
    let run = json(&ask(&installation, &["runs", "show", run_id.trim(), "-o", "json"]));
    assert_eq!(
        (&run["spec"]["load_points"][0]["concurrency"], &run["submitted_by"]),
        (&3.into(), &"somebody".into())
    );
    let wrong = ask_with(&installation, "model: a/b\nnosuch: 1", &["run", "-f", "-"]);
    assert_eq!(wrong.status.code(), Some(6), "{wrong:?}");
    assert!(problem(&wrong).contains("nosuch"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_became_slower_than_its_baseline_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline.json");
    let baseline = baseline.to_str().unwrap();
    let bench = |url: &str, more: &[&str]| {
        let fixed = ["--concurrency", "2", "--input-len", "16", "--output-len", "8", "--min-requests", "300"];
        program().args(["bench", url, "--min-duration", "1"]).args(fixed).args(more).output().unwrap()
    };
    let fast = endpoint("org/model").await;
    std::fs::write(baseline, told(&bench(&fast, &["-o", "json"]))).unwrap();
    let same = bench(&fast, &["--baseline", baseline, "--tolerance", "20"]);
    assert!(same.status.success(), "{same:?}");
    let slow = simulated(&["--model", "org/model", "--ttft-ms", "10", "--itl-ms", "6"]).await;
    let junit = folder.path().join("report.xml");
    let worse = bench(&slow, &["--baseline", baseline, "--junit", junit.to_str().unwrap()]);
    assert_eq!(worse.status.code(), Some(99), "{worse:?}");
    assert!(problem(&worse).contains("FAILED concurrency 2: output_tokens_per_s was "), "{worse:?}");
    assert!(read(&junit).contains("not worse than the baseline"), "{}", read(&junit));
}
