//! What the cluster knows of the node on which an engine runs.

use std::net::IpAddr;

use accelbench_core::observed::Observed;
use accelbench_core::run::Machine;
use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::Value;
use url::Url;

use super::manifests::EngineSite;
use super::{KubernetesPlatform, deployment, diagnosis};
use crate::platform::{PlatformError, RunContext};

/// The machine of an engine, and where the metrics of its accelerators are.
pub(super) async fn of(
    platform: &KubernetesPlatform,
    context: &RunContext,
    pod: &Pod,
) -> Result<(Machine, Vec<Url>), PlatformError> {
    let (node, claim) = match diagnosis::node_name(pod) {
        Some(name) => (platform.cluster.node(name).await, platform.cluster.claim_of_node(name).await),
        None => (None, None),
    };
    let plan = deployment::plan(context)?;
    let node = node.as_ref();
    let exporter = site(platform, context, node)?.exporter;
    let metrics = exporter.and_then(|exporter| format!("http://{exporter}/metrics").parse().ok());
    let machine = Machine {
        // The simulator computes as if it had so many.
        accelerators_used: Observed::Value(
            plan.map_or(context.run.spec.tensor_parallel, |plan| plan.parallelism.chips_used),
        ),
        ami: known(
            claim.as_ref().and_then(image_of_claim),
            "no node claim of Karpenter names the node's image",
        ),
        driver_version: known(
            node.and_then(driver_version),
            "the node carries no label with the version of its driver; GPU feature discovery would set it",
        ),
        availability_zone: known(node.and_then(zone), "the node carries no label with its zone"),
    };
    Ok((machine, metrics.into_iter().collect()))
}

/// Where the engine on this node is, as its load generator must know it.
pub(super) fn site(
    platform: &KubernetesPlatform,
    context: &RunContext,
    node: Option<&Node>,
) -> Result<EngineSite, PlatformError> {
    // The simulator uses no accelerators.
    let source = deployment::plan(context)?.map(|plan| plan.profile.profile().metrics);
    let port = source.and_then(|source| platform.options.metrics_ports.get(&source));
    Ok(EngineSite {
        zone: node.and_then(zone),
        exporter: port.zip(node.and_then(address)).map(|(port, ip)| (ip, *port).into()),
    })
}

fn address(node: &Node) -> Option<IpAddr> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().find(|address| address.type_ == "InternalIP")?.address.parse().ok()
}

fn known(value: Option<String>, why_not: &str) -> Observed<String> {
    value.map_or_else(|| Observed::absent(why_not), Observed::Value)
}

fn zone(node: &Node) -> Option<String> {
    label(node, "topology.kubernetes.io/zone")
}

fn driver_version(node: &Node) -> Option<String> {
    label(node, "nvidia.com/cuda.driver-version.full")
}

fn label(node: &Node, name: &str) -> Option<String> {
    node.metadata.labels.as_ref()?.get(name).cloned()
}

fn image_of_claim(claim: &Value) -> Option<String> {
    claim["status"]["imageID"].as_str().filter(|image| !image.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{address, driver_version, image_of_claim, zone};

    #[test]
    fn what_labels_and_claims_say_is_taken_and_nothing_else() {
        let node = serde_json::from_value(json!({
            "metadata": {"labels": {
                "topology.kubernetes.io/zone": "us-east-1b", "nvidia.com/cuda.driver-version.full": "580.95.05",
            }},
            "status": {"addresses": [
                {"type": "Hostname", "address": "ip-10-0-12-7"}, {"type": "InternalIP", "address": "10.0.12.7"},
            ]},
        }))
        .unwrap();
        assert_eq!(address(&node), Some([10, 0, 12, 7].into()));
        assert_eq!(
            (zone(&node).as_deref(), driver_version(&node).as_deref()),
            (Some("us-east-1b"), Some("580.95.05"))
        );
        assert_eq!(image_of_claim(&json!({"status": {"imageID": "ami-1"}})).as_deref(), Some("ami-1"));
        for claim in [json!({}), json!({"status": {"imageID": ""}}), json!({"status": {"imageID": 3}})] {
            assert_eq!(image_of_claim(&claim), None);
        }
    }
}
