//! The ten most used questions, each about several models, instance types and results in turn, so that no answer is
//! always the same.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::Value;

use super::requests::Server;

/// A question to the server.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: &'static str,
    /// Addresses that ask it.
    pub(super) paths: Vec<String>,
}

/// Names of the questions and their addresses under `/api/v1`, with what they are about left out.
const QUESTIONS: [(&str, &str); 10] = [
    ("the newest", "catalog"),
    ("fastest of a model", "catalog?model={model}&sort=output_tokens_per_s"),
    ("cheapest of a model", "catalog?model={model}&sort=cost_per_million_output_tokens"),
    (
        "cheapest of a model at an SLO",
        "catalog?model={model}&slo=ttft_p95_ms%3C=2000,itl_p95_ms%3C=100&sort=cost_per_million_tokens",
    ),
    ("first tokens on an instance type", "catalog?instance_type={instance_type}&sort=ttft_p95_ms"),
    (
        "cheapest of a family on an accelerator",
        "catalog?model_family=qwen3&accelerator_name=H100&sort=cost_per_million_tokens",
    ),
    (
        "fastest answers of large models in fp8",
        "catalog?min_params_b=60&max_params_b=80&quantization=fp8&sort=e2e_p95_ms",
    ),
    (
        "cheapest of all at an SLO, reserved",
        "catalog?slo=ttft_p95_ms%3C=500&sort=cost_per_million_output_tokens&tier=reserved_3_year&payment=all_upfront",
    ),
    ("the 20th page by throughput", "catalog?sort=output_tokens_per_s&cursor={cursor}"),
    ("one result with its costs", "results/{result_id}"),
];

/// How many of each kind of thing are asked about.
const VARIANTS: usize = 8;

/// The questions, about what the server holds.
pub(super) async fn all(server: &Server) -> anyhow::Result<Vec<Question>> {
    let shown = server.json("catalog?limit=1000").await?;
    let cursor = deep_cursor(server).await?;
    let mut questions = Vec::new();
    for (name, path) in QUESTIONS {
        let mut paths = BTreeSet::new();
        for variant in 0..VARIANTS {
            let mut path = path.replace("{cursor}", &cursor);
            for field in ["model", "instance_type", "result_id"] {
                path = path.replace(&format!("{{{field}}}"), value(&shown, field, variant)?);
            }
            paths.insert(path);
        }
        questions.push(Question { name, paths: paths.into_iter().collect() });
    }
    Ok(questions)
}

/// A field of one of the results that are shown.
fn value<'a>(shown: &'a Value, field: &str, variant: usize) -> anyhow::Result<&'a str> {
    let items = shown["items"].as_array().context("the catalog shows no items")?;
    let item = items.get(variant * items.len() / VARIANTS).context("the catalog is empty")?;
    item[field].as_str().with_context(|| format!("an item has no {field}"))
}

/// Where the 20th page begins.
async fn deep_cursor(server: &Server) -> anyhow::Result<String> {
    let mut cursor = String::new();
    for _page in 1..20 {
        let page = server.json(&format!("catalog?sort=output_tokens_per_s&cursor={cursor}")).await?;
        page["next_cursor"].as_str().context("the catalog has too few pages")?.clone_into(&mut cursor);
    }
    Ok(cursor)
}
