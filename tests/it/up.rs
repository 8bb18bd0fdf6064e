//! The built program as a newcomer uses it: up, run, query, down.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use accelbench_tests::installation::Installation;
use serde_json::Value;
use tempfile::TempDir;

struct Home {
    folder: TempDir,
    url: String,
    up: Child,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let up = command(folder.path())
            .args(["up", "--offline", "--bind", &format!("127.0.0.1:{port}")])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, url: format!("http://127.0.0.1:{port}"), up }
    }

    fn call(&self, arguments: &[&str]) -> Output {
        command(self.folder.path()).env("ACCELBENCH_SERVER", &self.url).args(arguments).output().unwrap()
    }

    fn wait_until_ready(&self) {
        let until = Instant::now() + Duration::from_mins(1);
        while !self.call(&["runs", "list"]).status.success() {
            assert!(Instant::now() < until, "`accelbench up` did not get ready");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // After a test that failed; otherwise it has ended already.
        let _ = command(self.folder.path()).arg("down").output();
        let _ = self.up.kill();
        let _ = self.up.wait();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(Installation::program().unwrap());
    command
        .env("ACCELBENCH_DATA_DIR", folder)
        .env_remove("DATABASE_URL")
        .env_remove("HF_TOKEN")
        .stdin(Stdio::null());
    command.stdout(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn up_run_query_down() {
    let mut home = Home::new();
    home.wait_until_ready();

    let again = home.call(&["up"]);
    assert!(again.status.success() && text(&again.stderr).contains(&home.url), "{}", text(&again.stderr));

    let run = [
        "run",
        "--model",
        "meta-llama/Llama-3.1-8B",
        "--instance",
        "g6e.xlarge",
        "--engine",
        "simulator",
        "--concurrency",
        "1,2",
        "--input-len",
        "16",
        "--output-len",
        "8",
        "--min-duration",
        "1",
        "--min-requests",
        "5",
        "--wait",
    ];
    let run = home.call(&run);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let table = text(&run.stdout);
    assert!(table.contains("simulated") && table.contains("g6e.xlarge"), "{table}");
    assert!(text(&run.stderr).contains("nothing of the run is left on the platform"));

    let query = [
        "-o",
        "json",
        "query",
        "--model",
        "meta-llama/Llama-3.1-8B",
        "--origin",
        "simulated",
        "--include-invalid",
    ];
    let results: Value = serde_json::from_slice(&home.call(&query).stdout).unwrap();
    let results = results["results"].as_array().or(results.as_array()).unwrap().clone();
    assert_eq!(results.len(), 2, "{results:#?}");

    let down = home.call(&["down"]);
    assert!(down.status.success(), "{}", text(&down.stderr));
    let ended = home.up.try_wait().unwrap();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    assert!(home.call(&["runs", "list"]).status.code() == Some(5));
    assert!(text(&home.call(&["down"]).stderr).contains("not up"));
}
