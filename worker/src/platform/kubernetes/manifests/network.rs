//! Who may talk to whom. Each policy shuts its pods off but for what it lists; one more shuts off whatever else carries
//! the run's label.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use accelbench_core::engine::profile::ENGINE_PORT;
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{EngineContainer, RunObjects};
use crate::platform::kubernetes::names::{self, Component, RUN_ID_LABEL, owned};
use crate::platform::kubernetes::options::{ApiPeer, PodPeer};

/// Where a node's credentials could be had, in both families of addresses.
const METADATA_SERVICES: [(&str, &str); 2] =
    [("0.0.0.0/0", "169.254.169.254/32"), ("::/0", "fd00:ec2::254/128")];

/// The policy of the engine, after one that shuts off all pods of the run.
pub(super) fn engine(run: &RunObjects<'_>, container: &EngineContainer) -> [NetworkPolicy; 2] {
    let callers = vec![pods_of(run, Component::Loadgen), foreign(&run.options.workers)];
    let ingress = NetworkPolicyIngressRule { from: Some(callers), ports: Some(vec![tcp(container.port)]) };
    let hub = NetworkPolicyEgressRule { to: Some(public_addresses()), ports: Some(vec![tcp(443)]) };
    let selector = names::selector(run.run_id, Component::Engine);
    let engine = policy(run, Component::Engine, selector, vec![ingress], vec![names_service(), hub]);
    [default_deny(run), engine]
}

/// The policy of the load generator.
pub(super) fn loadgen(run: &RunObjects<'_>, exporter: Option<SocketAddr>) -> NetworkPolicy {
    let to_engine = NetworkPolicyEgressRule {
        to: Some(vec![pods_of(run, Component::Engine)]),
        ports: Some(vec![tcp(ENGINE_PORT)]),
    };
    let selector = names::selector(run.run_id, Component::Loadgen);
    let mut egress = vec![names_service(), to_engine, to_api(&run.options.api)];
    egress.extend(exporter.map(to_exporter));
    policy(run, Component::Loadgen, selector, Vec::new(), egress)
}

fn default_deny(run: &RunObjects<'_>) -> NetworkPolicy {
    let all = owned([(RUN_ID_LABEL, &run.run_id.to_string())]);
    policy(run, Component::Anchor, all, Vec::new(), Vec::new())
}

fn policy(
    run: &RunObjects<'_>,
    component: Component,
    selector: BTreeMap<String, String>,
    ingress: Vec<NetworkPolicyIngressRule>,
    egress: Vec<NetworkPolicyEgressRule>,
) -> NetworkPolicy {
    NetworkPolicy {
        metadata: run.metadata(component),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector { match_labels: Some(selector), ..LabelSelector::default() }),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: (!ingress.is_empty()).then_some(ingress),
            egress: (!egress.is_empty()).then_some(egress),
        }),
    }
}

/// Names are looked up wherever the cluster does so, which a node-local cache may be.
fn names_service() -> NetworkPolicyEgressRule {
    NetworkPolicyEgressRule { to: None, ports: Some(vec![port("UDP", 53), port("TCP", 53)]) }
}

fn to_api(api: &ApiPeer) -> NetworkPolicyEgressRule {
    let (to, port) = match api {
        ApiPeer::Pods { pods, port } => (foreign(pods), *port),
        ApiPeer::Addresses { cidr, port } => (addresses(cidr, None), *port),
    };
    NetworkPolicyEgressRule { to: Some(vec![to]), ports: Some(vec![tcp(port)]) }
}

fn to_exporter(exporter: SocketAddr) -> NetworkPolicyEgressRule {
    let prefix = if exporter.is_ipv4() { 32 } else { 128 };
    let node = addresses(&format!("{}/{prefix}", exporter.ip()), None);
    NetworkPolicyEgressRule { to: Some(vec![node]), ports: Some(vec![tcp(exporter.port())]) }
}

fn public_addresses() -> Vec<NetworkPolicyPeer> {
    METADATA_SERVICES.iter().map(|(all, except)| addresses(all, Some(except))).collect()
}

fn addresses(cidr: &str, except: Option<&str>) -> NetworkPolicyPeer {
    let block = IPBlock { cidr: cidr.to_owned(), except: except.map(|range| vec![range.to_owned()]) };
    NetworkPolicyPeer { ip_block: Some(block), ..NetworkPolicyPeer::default() }
}

fn pods_of(run: &RunObjects<'_>, component: Component) -> NetworkPolicyPeer {
    let labels = names::selector(run.run_id, component);
    let selector = LabelSelector { match_labels: Some(labels), ..LabelSelector::default() };
    NetworkPolicyPeer { pod_selector: Some(selector), ..NetworkPolicyPeer::default() }
}

fn foreign(peer: &PodPeer) -> NetworkPolicyPeer {
    let labelled = |labels| Some(LabelSelector { match_labels: Some(labels), ..LabelSelector::default() });
    NetworkPolicyPeer {
        namespace_selector: labelled(owned([("kubernetes.io/metadata.name", &peer.namespace)])),
        pod_selector: labelled(peer.labels.clone()),
        ip_block: None,
    }
}

fn tcp(number: u16) -> NetworkPolicyPort {
    port("TCP", number)
}

fn port(protocol: &str, number: u16) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(i32::from(number))),
        end_port: None,
    }
}
