//! An example for each command, at the end of its help. Tests hold each of them against the grammar.

/// The words that lead to a command, and its examples; a `|` or `#` ends what this program reads.
pub(super) const ALL: &[(&str, &[&str])] = &[
    ("up", &["accelbench up", "accelbench up --bind 127.0.0.1:9000 --offline"]),
    ("down", &["accelbench down"]),
    (
        "run",
        &[
            "accelbench run --model meta-llama/Llama-3.1-8B --instance g6e.xlarge --concurrency 16",
            "accelbench run --model org/model --endpoint http://127.0.0.1:8000 --wait --assert 'ttft_p95<500ms'",
            "accelbench run --model org/model --instance p5.48xlarge --kubernetes --max-cost 80 --dry-run",
            "accelbench run -f run.yaml --wait --junit report.xml",
            "accelbench run --like 0199f5a2-0000-7000-8000-000000000000",
        ],
    ),
    (
        "bench",
        &[
            "accelbench bench http://127.0.0.1:8000 --concurrency 1,4,16",
            "accelbench bench http://127.0.0.1:8000 -o json > baseline.json",
            "accelbench bench http://127.0.0.1:8000 --baseline baseline.json --assert 'ttft_p95<500ms' --junit report.xml",
        ],
    ),
    (
        "query",
        &[
            "accelbench query --model meta-llama/Llama-3.1-70B --instance p5.48xlarge",
            "accelbench query --slo 'ttft_p95_ms<=500' --sort cost_per_million_output_tokens",
            "accelbench query -o csv > results.csv",
            "accelbench query --jq '.[] | {model, instance_type}'",
        ],
    ),
    ("doctor", &["accelbench doctor --database-url postgres://accelbench@127.0.0.1/accelbench"]),
    (
        "recommend",
        &["accelbench recommend --model meta-llama/Llama-3.1-8B --slo 'ttft_p95_ms<=500' --rate 10"],
    ),
    (
        "compare",
        &[
            "accelbench compare --model meta-llama/Llama-3.1-70B --instances p5.48xlarge,g6e.48xlarge",
            "accelbench query -o name | accelbench compare -",
        ],
    ),
    (
        "estimate",
        &["accelbench estimate --model meta-llama/Llama-3.1-8B --instance g6e.xlarge --concurrency 1,16"],
    ),
    ("fit", &["accelbench fit --model meta-llama/Llama-3.1-70B --instance g6e.xlarge"]),
    (
        "cost",
        &[
            "accelbench cost --price-per-hour 1.861 --output-tokens-per-s 1000 --input-tokens-per-s 4000",
            "accelbench cost baseline.json --price-per-hour 1.861 --target-rate 20",
        ],
    ),
    ("runs list", &["accelbench runs list --model meta-llama/Llama-3.1-8B", "accelbench runs list -o name"]),
    (
        "runs show",
        &[
            "accelbench runs show 0199f5a2-0000-7000-8000-000000000000",
            "accelbench runs show 0199f5a2-0000-7000-8000-000000000000 --exit-status",
        ],
    ),
    ("runs watch", &["accelbench runs watch 0199f5a2-0000-7000-8000-000000000000"]),
    ("runs logs", &["accelbench runs logs 0199f5a2-0000-7000-8000-000000000000 --source engine"]),
    ("runs cancel", &["accelbench runs cancel 0199f5a2-0000-7000-8000-000000000000"]),
    ("runs retry", &["accelbench runs retry 0199f5a2-0000-7000-8000-000000000000"]),
    ("runs requeue", &["accelbench runs requeue 0199f5a2-0000-7000-8000-000000000000"]),
    ("results list", &["accelbench results list --model meta-llama/Llama-3.1-8B"]),
    ("results show", &["accelbench results show 0199f5a2-0000-7000-8000-000000000000 -o yaml"]),
    (
        "results supersede",
        &[
            "accelbench results supersede 0199f5a2-0000-7000-8000-000000000000 --by 0199f5a2-0000-7000-8000-000000000001 --reason 'throttled'",
        ],
    ),
    ("models list", &["accelbench models list --search llama"]),
    ("models show", &["accelbench models show meta-llama/Llama-3.1-8B"]),
    ("models add", &["accelbench models add Qwen/Qwen2.5-0.5B"]),
    ("instances list", &["accelbench instances list --family g6e"]),
    ("instances show", &["accelbench instances show g6e.xlarge"]),
    ("datasets list", &["accelbench datasets list"]),
    ("datasets add", &["accelbench datasets add prompts.jsonl"]),
    ("datasets check", &["accelbench datasets check prompts.jsonl"]),
    ("prices", &["accelbench prices --instance g6e.xlarge"]),
    ("catalog refresh", &["accelbench catalog refresh --dry-run --budget-usd 100"]),
    (
        "export",
        &[
            "accelbench export --form vllm --run 0199f5a2-0000-7000-8000-000000000000",
            "accelbench export --form llm-d --model org/model baseline.json",
        ],
    ),
    ("import", &["accelbench import result.json --source 'our team' --instance g6e.xlarge"]),
    ("manifests", &["accelbench manifests 0199f5a2-0000-7000-8000-000000000000 --kubernetes cluster.json"]),
    ("open", &["accelbench open 0199f5a2-0000-7000-8000-000000000000", "accelbench open g6e.xlarge --print"]),
    ("mcp", &["accelbench mcp --server http://127.0.0.1:8080"]),
    ("config get", &["accelbench config get server"]),
    ("config set", &["accelbench config set --context production server https://accelbench.example.com"]),
    ("config list", &["accelbench config list --show-origin"]),
    ("config path", &["accelbench config path"]),
    ("config contexts", &["accelbench config contexts"]),
    ("config use-context", &["accelbench config use-context production"]),
    ("completion", &["accelbench completion bash > ~/.local/share/bash-completion/completions/accelbench"]),
    ("man", &["accelbench man | man -l -", "accelbench man --dir man1"]),
    ("version", &["accelbench version --json"]),
    ("help", &["accelbench help exit-codes", "accelbench help runs list"]),
    (
        "serve",
        &["accelbench serve --database-url postgres://accelbench@127.0.0.1/accelbench --bind 0.0.0.0:8080"],
    ),
    (
        "worker",
        &[
            "accelbench worker --database-url postgres://accelbench@127.0.0.1/accelbench --state-dir /var/lib/accelbench",
        ],
    ),
    ("migrate", &["accelbench migrate --database-url postgres://accelbench@127.0.0.1/accelbench"]),
    (
        "loadgen",
        &["accelbench loadgen --api-url http://127.0.0.1:8080 --run-id 0199f5a2-0000-7000-8000-000000000000"],
    ),
    ("reap", &["accelbench reap"]),
    ("simulate", &["accelbench simulate --port 8000"]),
];

/// The grammar with its examples.
pub(super) fn add(command: clap::Command) -> clap::Command {
    ALL.iter().fold(command, |command, (path, examples)| {
        let lines: Vec<String> = examples.iter().map(|example| format!("  {example}")).collect();
        within(command, path, &format!("Examples:\n{}", lines.join("\n")))
    })
}

fn within(command: clap::Command, path: &str, text: &str) -> clap::Command {
    let (name, rest) = path.split_once(' ').unwrap_or((path, ""));
    let text = text.to_owned();
    let rest = rest.to_owned();
    command.mut_subcommand(name, move |inner| {
        if rest.is_empty() { inner.after_help(text) } else { within(inner, &rest, &text) }
    })
}

/// The words of each call of this program in an example.
#[cfg(test)]
pub(super) fn commands(example: &str) -> Vec<Vec<String>> {
    let calls = example.split(" | ").filter(|call| call.starts_with("accelbench "));
    calls.map(|call| words(call.split(" > ").next().unwrap_or(call))).collect()
}

#[cfg(test)]
fn words(call: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in call.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
}
