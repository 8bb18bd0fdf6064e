//! What the pods of engines and load generators have in common: where they run, what they are protected from, and what
//! they are not given.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, LocalObjectReference, PodSpec, PodTemplateSpec, Toleration, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::RunObjects;
use crate::platform::kubernetes::names::{self, Component, owned};
use crate::platform::kubernetes::options::NodePool;

/// How long a container gets to end by itself, in seconds.
const GRACE_S: i64 = 10;

/// Where a pod may run.
pub(super) struct Placement<'a> {
    pub(super) pool: &'a NodePool,
    /// Labels beyond those of the pool.
    pub(super) labels: Vec<(&'static str, String)>,
}

pub(super) fn template(run: &RunObjects<'_>, component: Component, spec: PodSpec) -> PodTemplateSpec {
    // A duration ends by itself: not even a forgotten pod keeps its node for ever.
    let protected_for = format!("{}s", run.timeout_s);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(names::labels(run.run_id, component)),
            annotations: Some(owned([("karpenter.sh/do-not-disrupt", &protected_for)])),
            ..ObjectMeta::default()
        }),
        spec: Some(spec),
    }
}

pub(super) fn spec(
    run: &RunObjects<'_>,
    placement: &Placement<'_>,
    container: Container,
    volumes: Vec<Volume>,
) -> PodSpec {
    let options = run.options;
    let secrets = options.image_pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() });
    PodSpec {
        containers: vec![container],
        volumes: Some(volumes),
        node_selector: Some(node_selector(placement)),
        tolerations: Some(tolerations(placement.pool)),
        priority_class_name: options.priority_class.clone(),
        image_pull_secrets: (!options.image_pull_secrets.is_empty()).then(|| secrets.collect()),
        termination_grace_period_seconds: Some(GRACE_S),
        automount_service_account_token: Some(false),
        // A Service called vllm would set VLLM_PORT, which vLLM reads.
        enable_service_links: Some(false),
        ..PodSpec::default()
    }
}

fn node_selector(placement: &Placement<'_>) -> BTreeMap<String, String> {
    let more = placement.labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    placement.pool.labels.clone().into_iter().chain(more).collect()
}

fn tolerations(pool: &NodePool) -> Vec<Toleration> {
    let tolerate = |(key, value): (&String, &String)| Toleration {
        key: Some(key.clone()),
        operator: Some("Equal".to_owned()),
        value: Some(value.clone()),
        effect: Some("NoSchedule".to_owned()),
        ..Toleration::default()
    };
    pool.taints.iter().map(tolerate).collect()
}
