//! One output layer for all commands, settings, and what shells complete.

use accelbench_tests::installation::Installation;

use super::{ask, json, problem, program, told};

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_every_form() {
    let installation = Installation::start().await.unwrap();
    let list =
        |more: &[&str]| ask(&installation, &[&["instances", "list", "--family", "g6e"], more].concat());
    let table = told(&list(&[]));
    assert!(table.contains("accelerators") && table.contains("1 x L40S"), "{table}");
    assert!(!table.contains('\u{1b}'), "no colours in a pipe");
    assert!(table.lines().all(|line| line == line.trim_end()), "{table}");

    let names = told(&list(&["-o", "name"]));
    assert!(names.lines().any(|name| name == "g6e.xlarge"), "{names}");
    let csv = told(&list(&["-o", "csv", "--json", "instance_type,accelerator_count"]));
    assert!(csv.starts_with("instance_type,accelerator_count\n") && csv.contains("g6e.xlarge,1\n"), "{csv}");
    let lines = told(&list(&["-o", "jsonl"]));
    assert_eq!(lines.lines().count(), names.lines().count());
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(told(&list(&["-o", "yaml"])).contains("instance_type: g6e.xlarge"));
    assert!(told(&list(&["-o", "md"])).starts_with("| instance type"));
    assert_eq!(json(&list(&["--json", "family"]))[0], serde_json::json!({"family": "g6e"}));
    let expression = ".[] | select(.instance_type == \"g6e.xlarge\") | .accelerator_name";
    assert_eq!(told(&list(&["--jq", expression])), "L40S\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_noun_can_be_listed_and_shown() {
    let installation = Installation::start().await.unwrap();
    for arguments in [
        ["models", "list"].as_slice(),
        &["models", "show", "meta-llama/Llama-3.1-8B"],
        &["instances", "show", "g6e.xlarge"],
        &["datasets", "list"],
        &["prices", "--instance", "g6e.xlarge"],
        &["results", "list"],
        &["runs", "list"],
        &["catalog", "refresh", "--dry-run"],
        &["query"],
    ] {
        let output = ask(&installation, arguments);
        told(&output);
        let output = ask(&installation, &[arguments, &["-o", "json"]].concat());
        assert!(!json(&output).is_null(), "{arguments:?}");
    }
    let version = json(&ask(&installation, &["version", "--json"]));
    assert_eq!(
        (&version["is_same"], &version["server"]["problem"]),
        (&true.into(), &serde_json::Value::Null)
    );
    let page = told(&ask(&installation, &["open", "g6e.xlarge"]));
    assert_eq!(page.trim(), format!("{}/instances/g6e.xlarge", installation.url));
    let page = told(&ask(&installation, &["open", "meta-llama/Llama-3.1-8B", "--print"]));
    assert!(page.trim().ends_with("/models/meta-llama/Llama-3.1-8B"));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_come_from_contexts() {
    let installation = Installation::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let call = |arguments: &[&str]| {
        let mut command = program();
        command.env("XDG_CONFIG_HOME", folder.path()).env("HOME", folder.path());
        command.current_dir(folder.path()).args(arguments).output().unwrap()
    };
    told(&call(&["config", "set", "--context", "here", "server", &installation.url]));
    told(&call(&["config", "set", "tier", "spot"]));
    assert_eq!(call(&["config", "set", "server", "nonsense"]).status.code(), Some(2));
    assert_eq!(call(&["models", "list"]).status.code(), Some(5), "no context is used yet");
    told(&call(&["--context", "here", "models", "list"]));
    told(&call(&["config", "use-context", "here"]));
    told(&call(&["models", "list"]));
    assert_eq!(told(&call(&["config", "get", "server"])).trim(), installation.url);
    let list = told(&call(&["config", "list", "--show-origin"]));
    assert!(list.contains("context here of ") && list.contains("config.toml"), "{list}");
    assert!(told(&call(&["config", "contexts"])).contains("*        here"));

    std::fs::write(folder.path().join("accelbench.toml"), "sever = \"http://127.0.0.1:9\"").unwrap();
    let wrong = call(&["models", "list"]);
    assert!(problem(&wrong).contains("there is no setting `sever`"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_complete_what_the_server_knows() {
    let installation = Installation::start().await.unwrap();
    let complete = |words: &[&str]| {
        let mut command = program();
        command.env("ACCELBENCH_SERVER", &installation.url).env("ACCELBENCH_COMPLETE", "bash");
        command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string()).env("_CLAP_IFS", "\n");
        told(&command.arg("--").args(words).output().unwrap())
    };
    let models = complete(&["accelbench", "query", "--model", "meta-llama/"]);
    assert!(models.lines().any(|model| model == "meta-llama/Llama-3.1-8B"), "{models}");
    let instances = complete(&["accelbench", "instances", "show", "p5"]);
    assert!(instances.lines().any(|instance| instance == "p5.48xlarge"), "{instances}");
    assert!(complete(&["accelbench", "ru"]).contains("runs"));

    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            told(&program().args(["completion", shell]).output().unwrap()).contains("ACCELBENCH_COMPLETE")
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = program().args(["man", "--dir"]).arg(folder.path()).output().unwrap();
    told(&pages);
    let page = super::read(&folder.path().join("accelbench-runs-watch.1"));
    assert!(page.contains("accelbench runs watch") && page.contains("Examples"), "{page}");
}
