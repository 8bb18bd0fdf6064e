//! Scripts tell failures apart by their codes; each code of `help exit-codes` is provoked here or in `measured`.

use std::process::Stdio;
use std::time::{Duration, Instant};

use accelbench_tests::database::TestDatabase;
use accelbench_tests::hub_double::{HubDouble, refusal};
use accelbench_tests::installation::Installation;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::StatusCode;

use super::{SHORT, ask, problem, program, told};

fn code(output: &std::process::Output) -> i32 {
    output.status.code().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_too_much_is_asked_again() {
    let database = TestDatabase::create().await.unwrap();
    let url = database.url.clone();
    let limit = ["--max-requests-per-s", "1"];
    let installation = Installation::start_with_arguments(database, url, &limit).await.unwrap();
    let asked = async || reqwest::get(format!("{}/api/v1/engines", installation.url)).await.unwrap().status();
    let mut answers = 0;
    while asked().await != StatusCode::TOO_MANY_REQUESTS {
        answers += 1;
        assert!(answers < 100, "nothing is too much for this server");
    }
    told(&ask(&installation, &["prices", "--instance", "g6e.xlarge"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_missing_or_unreachable_has_a_code_of_its_own() {
    let installation = Installation::start().await.unwrap();
    installation.offer_simulator().await.unwrap();
    let near = ask(&installation, &["run", "--model", "meta-llama/Llama-3.1-8b", "--instance", "g6e.xlarge"]);
    assert_eq!(code(&near), 3, "{near:?}");
    assert!(problem(&near).contains("did you mean `meta-llama/Llama-3.1-8B`"), "{near:?}");
    let near = ask(&installation, &["instances", "show", "p5.48xl"]);
    assert_eq!(code(&near), 3, "{near:?}");
    assert!(problem(&near).contains("did you mean `p5.48xlarge`"), "{near:?}");

    for (arguments, expected) in [
        (["version", "--json"].as_slice(), 0),
        (&["datasets", "check", "/nonexistent"], 1),
        (&["nosuch"], 2),
        (&["query", "--jq", ".["], 2),
        (&["instances", "list", "--json", "nosuch"], 2),
        (&["cost", "--output-tokens-per-s", "5"], 2),
        (&["down", "--data-dir", "/tmp"], 2),
        (&["models", "show", "org/nosuch"], 3),
        (&["runs", "show", "0199f5a2-0000-7000-8000-000000000000"], 3),
        (&["help", "nosuch"], 3),
        (&["--context", "nosuch", "query"], 3),
        (&["run", "--model", "meta-llama/Llama-3.1-8B", "--instance", "g6e.xlarge", "--max-cost", "0"], 6),
    ] {
        let output = ask(&installation, arguments);
        assert_eq!(code(&output), expected, "{arguments:?}: {output:?}");
        assert!(expected == 0 || !output.stderr.is_empty(), "{arguments:?}");
    }
    let unreachable = program().args(["--server", "http://127.0.0.1:9", "query"]).output().unwrap();
    assert_eq!(code(&unreachable), 5, "{unreachable:?}");
    assert!(problem(&unreachable).contains("accelbench up"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gated_model_is_denied() {
    let hub = HubDouble::start(|_| refusal(403, "GatedRepo", "Access is restricted")).await.unwrap();
    let installation = Installation::start_with_hub(hub.url.as_str()).await.unwrap();
    let denied = ask(&installation, &["models", "add", "org/gated"]);
    assert_eq!(code(&denied), 4, "{denied:?}");
}

/// The words of its timeline decide when a run is waited for; nobody works on it here.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_in_three_ways() {
    let mut installation = Installation::start().await.unwrap();
    installation.offer_simulator().await.unwrap();
    let run_id = told(&ask(&installation, &SHORT)).trim().to_owned();
    assert_eq!(code(&ask(&installation, &["runs", "show", &run_id, "--exit-status"])), 8);

    let timed_out = ask(&installation, &["runs", "watch", &run_id, "--wait-timeout", "1"]);
    assert_eq!(code(&timed_out), 9, "{timed_out:?}");
    assert!(problem(&timed_out).contains(&format!("accelbench runs watch {run_id}")), "{timed_out:?}");

    let mut watching = program();
    watching.args(["--server", &installation.url, "runs", "watch", &run_id]);
    let watching = watching.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first line is proof that it listens to signals: both begin together.
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    kill(Pid::from_raw(watching.id().cast_signed()), Signal::SIGINT).unwrap();
    let interrupted = watching.wait_with_output().unwrap();
    assert_eq!(code(&interrupted), 130, "{interrupted:?}");
    assert!(problem(&interrupted).contains(&format!("accelbench runs cancel {run_id}")), "{interrupted:?}");

    told(&ask(&installation, &["runs", "cancel", &run_id]));
    installation.start_worker(&[]).unwrap();
    installation.finish(&run_id).await.unwrap();
    assert_eq!(code(&ask(&installation, &["runs", "show", &run_id, "--exit-status"])), 7);
}
