//! The Model Context Protocol as an agent speaks it: lines of JSON to the real program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use accelbench_tests::installation::Installation;
use serde_json::{Value, json};

use super::program;

struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
    id: u64,
}

impl Agent {
    fn start(url: &str) -> Self {
        let mut command = program();
        command.args(["mcp", "--server", url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut agent = Self { child, input, output, id: 0 };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}});
        let server = agent.ask("initialize", &hello);
        assert_eq!(server["serverInfo"]["name"], "accelbench", "{server}");
        agent.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        agent
    }

    fn write(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.id += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": parameters}));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], self.id, "{answer}");
        answer["result"].clone()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reads_the_catalog_and_changes_nothing() {
    let installation = Installation::start().await.unwrap();
    let mut agent = Agent::start(&installation.url);
    let tools = agent.ask("tools/list", &json!({}));
    let tools = tools["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["compare", "cost", "methodology", "query", "recommend"]);
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));

    let cost = json!({"price_per_hour": 3.6, "output_tokens_per_s": 1000.0});
    let cost = agent.call("cost", &cost);
    let per_million =
        cost["structuredContent"]["costs"]["per_million_output_tokens"]["value"].as_f64().unwrap();
    assert!((per_million - 1.0).abs() < 1e-9, "{cost}");
    let results = agent.call("query", &json!({"model": "meta-llama/Llama-3.1-8B"}));
    assert!(results["structuredContent"]["items"].is_array(), "{results}");
    let question = json!({"model": "org/nosuch", "slo": "ttft_p95_ms<=500", "requests_per_s": 5.0});
    let unknown = agent.call("recommend", &question);
    assert!(unknown.to_string().contains("org/nosuch"), "{unknown}");
    let wrong = agent.call("compare", &json!({"results": []}));
    assert_eq!(wrong["isError"], true, "{wrong}");
    let text = agent.call("methodology", &json!({}));
    assert!(text.to_string().contains("batch means"), "{text}");

    let llms = installation.get("/llms.txt").await.unwrap();
    assert!(llms.as_str().unwrap().contains("/api/v1/catalog"), "{llms}");

    drop(agent.input);
    assert!(agent.child.wait().unwrap().success(), "it ends when the agent goes");
}
