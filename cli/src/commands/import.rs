//! `accelbench import`: takes over what another load generator measured.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::output;
use crate::session::Session;
use crate::settings::Key;

/// What to import, and what the file does not say itself.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// What `vllm bench serve --save-result` or `GuideLLM` wrote
    file: PathBuf,
    /// Who measured it, for instance a team or a publication
    #[arg(long, value_name = "NAME")]
    source: String,
    /// Where it is published
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// The terms under which it is published
    #[arg(long)]
    licence: Option<String>,
    /// Hugging Face id of the model, where the file does not name it
    #[arg(long)]
    model: Option<String>,
    /// The AWS instance type that it was measured on
    #[arg(long)]
    instance: Option<String>,
    /// The accelerator, for instance L40S
    #[arg(long)]
    accelerator: Option<String>,
    /// How many accelerators served
    #[arg(long, value_name = "COUNT")]
    accelerators_used: Option<u32>,
    /// The engine, for instance vLLM
    #[arg(long)]
    engine: Option<String>,
    /// Its version
    #[arg(long)]
    engine_version: Option<String>,
    /// Precision of the weights, for instance bf16
    #[arg(long)]
    precision: Option<String>,
    /// Accelerators over which one replica was split
    #[arg(long, value_name = "COUNT")]
    tensor_parallel: Option<u32>,
    /// Your name [default: that of the settings]
    #[arg(long)]
    user: Option<String>,
}

pub(crate) async fn import(session: &Session, mut options: ImportOptions) -> anyhow::Result<()> {
    let place = options.file.display().to_string();
    let text = fs::read_to_string(&options.file).with_context(|| format!("{place} cannot be read"))?;
    let file: Value = serde_json::from_str(&text).with_context(|| format!("{place} is no JSON"))?;
    options.user = session.settings.or(options.user.as_deref(), Key::User);
    let answer = session.client.import(&request(&options, &without_lists(file))).await?;
    if !session.output.is_for_people() {
        return session.output.show(&answer, String::new);
    }
    let (added, all) = (answer["added"].as_u64(), answer["results"].as_array().map(Vec::len));
    let (added, all) = (added.unwrap_or_default(), all.unwrap_or_default());
    output::notice(&match added {
        0 => format!("all of the {all} results of {place} were imported before"),
        added => format!("imported {added} of the {all} results of {place}"),
    });
    output::notice("hint: accelbench query --origin imported shows them");
    Ok(())
}

fn request(options: &ImportOptions, file: &Value) -> Value {
    json!({
        "file": file,
        "source": {"name": options.source, "reference": options.reference, "licence": options.licence},
        "model": options.model,
        "hardware": {
            "instance_type": options.instance,
            "accelerator_name": options.accelerator,
            "accelerators_used": options.accelerators_used,
        },
        "engine": {
            "name": options.engine,
            "version": options.engine_version,
            "precision": options.precision,
            "tensor_parallel": options.tensor_parallel,
        },
        "imported_by": options.user,
    })
}

/// A detailed file of vLLM lists every token of every request, megabytes of which nothing is needed.
fn without_lists(mut file: Value) -> Value {
    if let Some(fields) = file.as_object_mut() {
        fields.retain(|name, value| name == "benchmarks" || !value.is_array());
        let benchmarks = fields.get_mut("benchmarks").and_then(Value::as_array_mut);
        for benchmark in benchmarks.into_iter().flatten().filter_map(Value::as_object_mut) {
            benchmark.remove("requests");
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::without_lists;

    #[test]
    fn single_requests_stay_at_home() {
        let vllm = without_lists(json!({"completed": 3, "ttfts": [0.1, 0.2], "itls": [[0.1]]}));
        assert_eq!(vllm, json!({"completed": 3}));
        let guidellm =
            without_lists(json!({"benchmarks": [{"metrics": {}, "requests": {"successful": []}}]}));
        assert_eq!(guidellm, json!({"benchmarks": [{"metrics": {}}]}));
        assert_eq!(without_lists(json!([1])), json!([1]));
    }
}
