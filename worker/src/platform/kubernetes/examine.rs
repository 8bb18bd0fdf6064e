//! Whether a cluster is one that runs can be deployed on, as whoever asks sees it: each right that a worker needs, nodes
//! for every kind of run, and what must run on them. Nothing is changed.

use std::collections::BTreeMap;

use accelbench_core::finding::Finding;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, Error};
use serde::Deserialize;

use super::cluster::Cluster;
use super::options::{KubernetesOptions, NodePool};

const PART: &str = "cluster";

/// What deploy/kubernetes/rbac.yaml grants workers; CI compares the two.
const RIGHTS: &str = include_str!("rights.json");

/// DaemonSets that nodes with accelerators need, by a part of their name.
const DAEMONS: [(&str, &str, &str); 4] = [
    (
        "gpu device plugin",
        "nvidia-device-plugin",
        "without it no pod gets a GPU: deploy/addons/nvidia-device-plugin.yaml",
    ),
    (
        "neuron device plugin",
        "neuron-device-plugin",
        "without it no pod gets a NeuronCore: deploy/addons/neuron.yaml",
    ),
    (
        "gpu exporter",
        "dcgm-exporter",
        "without it results lack the utilisation and memory of GPUs: deploy/addons/dcgm-exporter.yaml",
    ),
    (
        "neuron exporter",
        "neuron-monitor",
        "without it results lack the utilisation of NeuronCores: deploy/addons/neuron.yaml",
    ),
];

#[derive(Debug, Deserialize)]
struct Right {
    group: String,
    resource: String,
    scope: Scope,
    verbs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Runs,
    Cluster,
}

/// Looks at everything; a cluster that cannot be reached is one finding.
pub async fn examine(options: &KubernetesOptions) -> Vec<Finding> {
    let cluster = match Cluster::connect(&options.namespace).await {
        Ok(cluster) => cluster,
        Err(error) => return vec![unreachable(&format!("{error:#}"))],
    };
    let client = cluster.client();
    let mut findings = Vec::new();
    match client.apiserver_version().await {
        Ok(version) => {
            findings.push(Finding::pass(PART, "reachable", format!("Kubernetes {}", version.git_version)));
        }
        Err(error) => return vec![unreachable(&error.to_string())],
    }
    findings.extend(rights(client, &options.namespace).await);
    findings.extend(pools(client, options).await);
    findings.extend(daemons(client).await);
    findings
}

fn unreachable(why: &str) -> Finding {
    Finding::fail(PART, "reachable", why, "run this where KUBECONFIG names the cluster, or in a worker's pod")
}

async fn rights(client: &Client, namespace: &str) -> Vec<Finding> {
    let rights: Vec<Right> =
        serde_json::from_str(RIGHTS).expect("the file is this crate's own, and a test reads it");
    let mut missing = Vec::new();
    let count: usize = rights.iter().map(|right| right.verbs.len()).sum();
    for right in &rights {
        for verb in &right.verbs {
            match may(client, right, verb, namespace).await {
                Ok(true) => {}
                Ok(false) => missing.push(format!("{verb} {}", right.resource)),
                Err(error) => {
                    let advice = "every account may ask what it may do; see why this one may not";
                    return vec![Finding::fail(PART, "rights", error.to_string(), advice)];
                }
            }
        }
    }
    if missing.is_empty() {
        let found = format!("all {count} that a worker needs, in {namespace} and on the cluster");
        return vec![Finding::pass(PART, "rights", found)];
    }
    let advice = "apply deploy/kubernetes/rbac.yaml or the chart, and ask as the worker's account: kubectl exec into its pod";
    vec![Finding::fail(PART, "rights", format!("may not: {}", missing.join(", ")), advice)]
}

async fn may(client: &Client, right: &Right, verb: &str, namespace: &str) -> Result<bool, Error> {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (right.resource.as_str(), None),
    };
    let attributes = ResourceAttributes {
        group: Some(right.group.clone()),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(verb.to_owned()),
        namespace: (right.scope == Scope::Runs).then(|| namespace.to_owned()),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            non_resource_attributes: None,
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer =
        Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Nodes of each kind: there, or made by Karpenter when they are needed.
async fn pools(client: &Client, options: &KubernetesOptions) -> Vec<Finding> {
    let kind = GroupVersionKind::gvk("karpenter.sh", "v1", "NodePool");
    let api: Api<DynamicObject> =
        Api::all_with(client.clone(), &ApiResource::from_gvk_with_plural(&kind, "nodepools"));
    let (karpenter, pools) = match api.list(&ListParams::default()).await {
        Ok(list) => {
            let found = format!("{} node pools", list.items.len());
            (Finding::pass(PART, "karpenter", found), list.items)
        }
        Err(Error::Api(status)) if status.code == 403 => {
            let advice = "ask as somebody who may list node pools";
            (Finding::skip(PART, "karpenter", "node pools may not be listed", advice), Vec::new())
        }
        Err(error) => {
            let advice = "nodes must be there already, or install Karpenter and deploy/helm/accelbench-nodes";
            (Finding::warn(PART, "karpenter", format!("there is none: {error}"), advice), Vec::new())
        }
    };
    let nodes = Api::<Node>::all(client.clone()).list(&ListParams::default()).await;
    let nodes = nodes.map(|list| list.items).unwrap_or_default();
    let kinds = [
        ("gpu nodes", &options.gpu_pool),
        ("neuron nodes", &options.neuron_pool),
        ("loadgen nodes", &options.loadgen_pool),
    ];
    let of_kinds = kinds.map(|(check, pool)| nodes_of(check, pool, &pools, &nodes));
    std::iter::once(karpenter).chain(of_kinds).collect()
}

fn nodes_of(check: &str, pool: &NodePool, pools: &[DynamicObject], nodes: &[Node]) -> Finding {
    let there = nodes.iter().filter(|node| carries(node.metadata.labels.as_ref(), &pool.labels)).count();
    let makers = pools.iter().filter(|made| carries(template_labels(made).as_ref(), &pool.labels)).count();
    if there + makers > 0 {
        return Finding::pass(PART, check, format!("{there} there now, {makers} node pools make them"));
    }
    let labels: Vec<String> = pool.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let found = format!("no node and no node pool has {}", labels.join(", "));
    Finding::warn(
        PART,
        check,
        found,
        "runs of this kind will wait: install deploy/helm/accelbench-nodes, or name your nodes' labels in the worker's settings",
    )
}

fn carries(labels: Option<&BTreeMap<String, String>>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

fn template_labels(pool: &DynamicObject) -> Option<BTreeMap<String, String>> {
    serde_json::from_value(pool.data.pointer("/spec/template/metadata/labels")?.clone()).ok()
}

async fn daemons(client: &Client) -> Vec<Finding> {
    let found = match Api::<DaemonSet>::all(client.clone()).list(&ListParams::default()).await {
        Ok(list) => list.items,
        Err(error) => {
            let advice = "ask as somebody who may list DaemonSets of all namespaces";
            return vec![Finding::skip(PART, "device plugins", error.to_string(), advice)];
        }
    };
    let names: Vec<String> = found.into_iter().filter_map(|daemon| daemon.metadata.name).collect();
    let look = |(check, part, advice): (&str, &str, &str)| match names.iter().find(|name| name.contains(part))
    {
        Some(name) => Finding::pass(PART, check, format!("DaemonSet {name}")),
        None => Finding::warn(PART, check, format!("no DaemonSet is called {part}"), advice),
    };
    DAEMONS.map(look).into()
}

#[cfg(test)]
mod tests {
    use accelbench_core::finding::FindingOutcome;
    use kube::core::DynamicObject;
    use serde_json::json;

    use super::{RIGHTS, Right, nodes_of};
    use crate::platform::kubernetes::options::NodePool;

    #[test]
    fn the_list_of_rights_can_be_read() {
        let rights: Vec<Right> = serde_json::from_str(RIGHTS).unwrap();
        assert!(rights.iter().all(|right| !right.verbs.is_empty()));
    }

    #[test]
    fn a_pool_that_makes_such_nodes_is_enough() {
        let pool = NodePool { labels: [("team".to_owned(), "gpu".to_owned())].into(), taints: [].into() };
        let made = json!({"metadata": {"name": "a"}, "spec": {"template": {"metadata": {"labels": {"team": "gpu"}}}}});
        let made: DynamicObject = serde_json::from_value(made).unwrap();
        assert_eq!(nodes_of("gpu nodes", &pool, &[made], &[]).outcome, FindingOutcome::Pass);
        let missing = nodes_of("gpu nodes", &pool, &[], &[]);
        assert!(missing.found.contains("team=gpu"), "{missing:?}");
        assert_eq!(missing.outcome, FindingOutcome::Warn);
    }
}
