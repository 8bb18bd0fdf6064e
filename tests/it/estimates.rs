//! What the command line tells of a run before it is submitted.

use std::process::{Command, Output};

use accelbench_tests::installation::Installation;

fn ask(installation: &Installation, arguments: &[&str]) -> Output {
    let mut command = Command::new(Installation::program().unwrap());
    command.args(["--server", &installation.url]).args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tells_fit_speed_time_and_money_beforehand() {
    let installation = Installation::start().await.unwrap();
    installation.offer_simulator().await.unwrap();
    let llama = ["--model", "meta-llama/Llama-3.1-8B", "--instance", "g6e.xlarge"];

    let fits = told(&ask(&installation, &[&["fit"], llama.as_slice()].concat()));
    assert!(
        fits.starts_with("fits at tensor parallel 1: of 44.7 GiB on each accelerator 40.2 are usable"),
        "{fits}"
    );
    let large = ["fit", "--model", "meta-llama/Llama-3.1-70B-Instruct", "--instance", "g6e.xlarge"];
    let misfit = told(&ask(&installation, &large));
    assert!(misfit.contains("weights take 131.4 and the engine 1.0"), "{misfit}");
    assert!(
        misfit.contains("  it fits g6e.12xlarge at tensor parallel 4, for 10.49 USD an hour"),
        "{misfit}"
    );

    let estimate = told(&ask(&installation, &[&["estimate"], llama.as_slice()].concat()));
    for part in
        ["concurrency 16: estimate", "time: estimate", "cost: estimate", "price: on demand in us-east-1"]
    {
        assert!(estimate.contains(part), "{estimate}");
    }

    let dry = ask(&installation, &[&["run", "--dry-run"], llama.as_slice()].concat());
    assert!(told(&dry).contains("cost: nothing: it runs on the worker's own machine"), "{dry:?}");
    let refused = ask(&installation, &[&["run", "--max-cost", "0"], llama.as_slice()].concat());
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    let runs = installation.get("/api/v1/runs").await.unwrap();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0, "nothing was submitted");
}
