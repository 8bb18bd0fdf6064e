//! `accelbench manifests`: what a run's objects on a cluster are, for reading and for keeping; secrets are left out.

use std::path::PathBuf;

use accelbench_worker::platform::RunContext;
use accelbench_worker::platform::kubernetes::{KubernetesOptions, preview};
use anyhow::bail;
use clap::Args;
use serde_json::json;
use url::Url;

use crate::completer;
use crate::session::Session;

/// Which run's objects.
#[derive(Debug, Args)]
pub(crate) struct ManifestsOptions {
    /// The run, whatever has become of it
    #[arg(add = completer::runs())]
    run: String,
    /// The cluster's settings, as for `accelbench worker`
    #[arg(long, env = "ACCELBENCH_KUBERNETES", value_name = "FILE")]
    kubernetes: PathBuf,
    /// Address of the API as load generators reach it
    #[arg(long, env = "ACCELBENCH_API_URL", default_value = "http://accelbench-api.accelbench.svc:8080")]
    api_url: Url,
}

/// One list in JSON, which kubectl reads as well as YAML.
pub(crate) async fn manifests(session: &Session, options: ManifestsOptions) -> anyhow::Result<()> {
    let settings = KubernetesOptions::read(&options.kubernetes)?;
    let run = session.client.run(&options.run).await?;
    let (model, instance_type) = (run.spec.model.clone(), run.spec.instance_type.clone());
    let model = session.client.models(model.as_str()).await?.into_iter().find(|known| known.model == model);
    let instances = session.client.instances().await?;
    let instance = instances.into_iter().find(|known| known.instance_type == instance_type);
    let (Some(model), Some(instance)) = (model, instance) else {
        bail!("the server knows no facts of {} on {instance_type} any more", run.spec.model);
    };
    let context = RunContext { run, model, instance, engine_command: Vec::new(), hf_token: None };
    let items = preview(&context, &settings, &options.api_url)?;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    session.output.show(&list, || format!("{list:#}"))
}
