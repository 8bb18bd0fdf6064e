//! The engine's address in the cluster.

use accelbench_core::run::RunId;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use url::Url;

use super::{EngineContainer, RunObjects};
use crate::platform::kubernetes::KubernetesOptions;
use crate::platform::kubernetes::names::{self, Component};

/// Where the engine of a run answers inside the cluster.
#[must_use]
pub fn engine_url(run_id: RunId, port: u16, options: &KubernetesOptions) -> Url {
    let (name, namespace) = (names::object(run_id, Component::Engine), &options.namespace);
    let url = format!("http://{name}.{namespace}.svc.cluster.local:{port}/");
    Url::parse(&url).expect("names of objects and namespaces are host names")
}

pub(super) fn engine(run: &RunObjects<'_>, container: &EngineContainer) -> Service {
    Service {
        metadata: run.metadata(Component::Engine),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(names::selector(run.run_id, Component::Engine)),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: i32::from(container.port),
                target_port: Some(IntOrString::Int(i32::from(container.port))),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}
