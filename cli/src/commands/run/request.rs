//! What a run is asked for with: flags, or a file that holds the request as the API takes it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Map, Value, json};
use url::Url;

use crate::commands::datasets::upload;
use crate::commands::load::LoadArguments;
use crate::commands::token::TokenArguments;
use crate::session::Session;
use crate::settings::Key;
use crate::{completer, output};

/// What to benchmark.
#[derive(Debug, Args)]
pub(super) struct RequestArguments {
    /// Hugging Face id of the model
    #[arg(long, add = completer::models(), required_unless_present_any = ["file", "like"])]
    model: Option<String>,
    /// Take the request from a file of YAML or JSON, with the fields of the API; - is stdin
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["model", "like"])]
    file: Option<PathBuf>,
    /// Repeat this result, or all of this run, exactly as it was configured, and compare
    #[arg(long, value_name = "RESULT", conflicts_with = "model", add = completer::results())]
    like: Option<String>,
    /// Branch, tag or commit of the model [default: the newest of its main branch]
    #[arg(long)]
    revision: Option<String>,
    /// Instance type, for instance g6e.xlarge [default: `local` or `external`, as the engine demands]
    #[arg(long, add = completer::instances())]
    instance: Option<String>,
    /// Engine on the worker's machine [default: simulator], or on the cluster: vllm or simulator [default: vllm]
    #[arg(long, conflicts_with = "endpoint")]
    engine: Option<String>,
    /// Deploy on the cluster of the installation, on a node of the instance type
    #[arg(long, conflicts_with = "endpoint", requires = "instance")]
    kubernetes: bool,
    /// An OpenAI-compatible server that already runs
    #[arg(long, value_name = "URL")]
    endpoint: Option<Url>,
    #[command(flatten)]
    load: LoadArguments,
    /// Name of a dataset, or @FILE to upload one prompt a line as JSON
    #[arg(long, default_value = "standard", value_name = "NAME|@FILE")]
    dataset: String,
    /// Precision of the weights: bf16, fp16, fp8, int8 or int4 [default: as the model comes]
    #[arg(long)]
    quantization: Option<String>,
    /// Over how many accelerators one replica is split [default: on a cluster, as few as hold the weights, elsewhere 1]
    #[arg(long, visible_alias = "tp", value_name = "COUNT")]
    tensor_parallel: Option<u32>,
    /// End the run after this long in any case, in seconds
    #[arg(long, default_value_t = 7200, value_name = "SECONDS")]
    timeout: u32,
    /// Name to find your runs by [default: that of the settings]
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    token: TokenArguments,
    /// Refuse the run if it might cost more than this, by its estimate or at its time limit
    #[arg(long, value_name = "USD")]
    max_cost: Option<f64>,
}

impl RequestArguments {
    /// The result or run that is to be repeated.
    pub(super) fn like(&self) -> Option<&str> {
        self.like.as_deref()
    }

    /// The request as the API takes it.
    pub(super) async fn request(&self, session: &Session) -> anyhow::Result<Value> {
        let request = match &self.file {
            Some(file) => read(file)?,
            None => self.of_flags(session).await?,
        };
        self.complete(session, request)
    }

    /// Adds what does not belong to the configuration: whose run it is, a token, and what it may cost.
    pub(super) fn complete(&self, session: &Session, mut request: Value) -> anyhow::Result<Value> {
        let texts = BTreeMap::from([
            ("submitted_by", session.settings.or(self.user.as_deref(), Key::User)),
            ("hf_token", self.token.token()?),
        ]);
        for (name, value) in texts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            // What a file says of itself stays.
            if self.user.is_some() || request.get(name).is_none_or(Value::is_null) {
                request[name] = value.into();
            }
        }
        if let Some(max_cost_usd) = self.max_cost {
            request["max_cost_usd"] = max_cost_usd.into();
        }
        Ok(request)
    }

    async fn of_flags(&self, session: &Session) -> anyhow::Result<Value> {
        let (dataset, gives_lengths) = match self.dataset.strip_prefix('@') {
            Some(path) => {
                let (stored, gives_lengths) = upload(&session.client, Path::new(path), None).await?;
                (stored.sha256.to_string(), gives_lengths)
            }
            None => (self.dataset.clone(), false),
        };
        let load = &self.load;
        let mut request = json!({
            "model": self.model,
            "instance_type": self.instance(),
            "platform": self.platform(),
            "tensor_parallel": self.tensor_parallel,
            "workload": self.workload(&dataset, gives_lengths || load.replays()),
            "load_points": load.load_points(),
            "measurement": load.measurement(),
            "timeout_s": self.timeout,
        });
        if let Some(exploration) = load.exploration() {
            request["exploration"] = serde_json::to_value(exploration)?;
        }
        if let Some(slo) = load.slo() {
            request["slo"] = serde_json::to_value(slo)?;
        }
        for (name, value) in [("revision", &self.revision), ("quantization", &self.quantization)] {
            if let Some(value) = value {
                request[name] = value.clone().into();
            }
        }
        Ok(request)
    }

    fn platform(&self) -> Value {
        match (&self.endpoint, self.engine.as_deref()) {
            (Some(url), _) => json!({"kind": "endpoint", "url": url}),
            (None, engine) if self.kubernetes => {
                json!({"kind": "kubernetes", "engine": engine.unwrap_or("vllm")})
            }
            (None, Some(engine)) => json!({"kind": "local", "engine": engine}),
            (None, None) => {
                output::notice(
                    "note: no --engine and no --endpoint given: the simulator plays the engine, and the results say so",
                );
                json!({"kind": "local", "engine": "simulator"})
            }
        }
    }

    fn instance(&self) -> &str {
        match (&self.instance, &self.endpoint, self.engine.as_deref()) {
            (Some(instance), _, _) => instance,
            (None, Some(_), _) => "external",
            (None, None, None | Some("simulator")) => "g6e.xlarge",
            (None, None, Some(_)) => "local",
        }
    }

    fn workload(&self, dataset: &str, gives_lengths: bool) -> Value {
        let load = &self.load;
        let mut workload = json!({
            "dataset": dataset,
            "lengths": load.lengths(gives_lengths),
            "eos": load.eos(),
            "seed": load.seed,
        });
        if load.turns != 1 {
            workload["turns"] = load.turns.into();
        }
        if load.shared_prefix_len > 0 {
            workload["shared_prefix_tokens"] = load.shared_prefix_len.into();
        }
        workload
    }
}

/// YAML, of which JSON is a part.
fn read(file: &Path) -> anyhow::Result<Value> {
    let place = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().read_to_string(&mut text).context("stdin cannot be read")?;
    } else {
        text = fs::read_to_string(file).with_context(|| format!("{place} cannot be read"))?;
    }
    let request: Map<String, Value> =
        serde_saphyr::from_str(&text).with_context(|| format!("{place} is no request in YAML or JSON"))?;
    if request.contains_key("hf_token") {
        bail!(
            "{place} holds a Hugging Face token; keep it out of files of requests, and give --hf-token-file or HF_TOKEN"
        );
    }
    Ok(Value::Object(request))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn a_request_is_yaml_or_json_and_holds_no_token() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "model: a/b\nload_points:\n  - concurrency: 4\n").unwrap();
        let expected = json!({"model": "a/b", "load_points": [{"concurrency": 4}]});
        assert_eq!(read(file.path()).unwrap(), expected);
        std::fs::write(file.path(), expected.to_string()).unwrap();
        assert_eq!(read(file.path()).unwrap(), expected);
        std::fs::write(file.path(), "model: a/b\nhf_token: hf_x").unwrap();
        assert!(read(file.path()).unwrap_err().to_string().contains("HF_TOKEN"));
        std::fs::write(file.path(), "- a").unwrap();
        assert!(read(file.path()).unwrap_err().to_string().contains("no request"));
    }
}
