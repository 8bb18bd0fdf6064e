//! The command line as scripts, agents and shells use it, against a real server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use accelbench_tests::installation::Installation;
use serde_json::Value;

mod exit_codes;
mod formats;
mod mcp;
mod measured;

/// Arguments of a short run on the simulator.
const SHORT: [&str; 16] = [
    "run",
    "--model",
    "meta-llama/Llama-3.1-8B",
    "--instance",
    "g6e.xlarge",
    "--engine",
    "simulator",
    "--input-len",
    "16",
    "--output-len",
    "8",
    "--min-duration",
    "1",
    "--min-requests",
    "60",
    "--concurrency=2",
];

/// The program, with nothing of the person who runs the tests in its environment.
fn program() -> Command {
    let mut command = Command::new(Installation::program().unwrap());
    for variable in ["ACCELBENCH_SERVER", "ACCELBENCH_OUTPUT", "ACCELBENCH_CONTEXT", "HF_TOKEN"] {
        command.env_remove(variable);
    }
    command.env("XDG_CONFIG_HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn ask(installation: &Installation, arguments: &[&str]) -> Output {
    program().args(["--server", &installation.url]).args(arguments).output().unwrap()
}

/// What it tells, when it succeeds.
fn told(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn problem(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&told(output)).unwrap()
}

/// As [`ask`], with something on stdin.
fn ask_with(installation: &Installation, input: &str, arguments: &[&str]) -> Output {
    let mut command = program();
    command.args(["--server", &installation.url]).args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
