//! The load generator's Job: one attempt, on a node without accelerators, in the engine's zone.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Affinity, Container, PodAffinityTerm, PodAntiAffinity, PodSpec, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use url::Url;

use super::pod::Placement;
use super::secret::RUN_TOKEN_KEY;
use super::{Privileges, RunObjects, container, pod, secret};
use crate::platform::kubernetes::names::{COMPONENT_LABEL, Component, owned};
use crate::platform::kubernetes::options::NodeSharing;

/// How long an ended Job stays for its log to be read, should nobody remove it, in seconds.
const KEPT_S: i32 = 3600;

pub(super) fn loadgen(run: &RunObjects<'_>, api_url: &Url, zone: Option<&str>) -> Job {
    let (volume, mount) = container::folder("tmp", "/tmp", "1Gi".to_owned(), None);
    let container = Container { volume_mounts: Some(vec![mount]), ..loadgen_container(run, api_url) };
    let zone = zone.map(|zone| ("topology.kubernetes.io/zone", zone.to_owned()));
    let placement = Placement { pool: &run.options.loadgen_pool, labels: zone.into_iter().collect() };
    let pod = PodSpec {
        restart_policy: Some("Never".to_owned()),
        affinity: affinity(run.options.loadgen_nodes),
        service_account_name: run.options.loadgen_service_account.clone(),
        ..pod::spec(run, &placement, container, vec![volume])
    };
    Job {
        metadata: run.metadata(Component::Loadgen),
        spec: Some(JobSpec {
            completions: Some(1),
            parallelism: Some(1),
            // A second attempt would measure a warm engine: a load generator that fails fails its run. For the same
            // reason there is no failure policy that overlooks disruptions.
            backoff_limit: Some(0),
            active_deadline_seconds: Some(i64::from(run.timeout_s)),
            ttl_seconds_after_finished: Some(KEPT_S),
            template: pod::template(run, Component::Loadgen, pod),
            ..JobSpec::default()
        }),
        status: None,
    }
}

fn loadgen_container(run: &RunObjects<'_>, api_url: &Url) -> Container {
    let run_id = run.run_id.to_string();
    let arguments = ["loadgen", "--api-url", api_url.as_str(), "--run-id", &run_id];
    let asked = container::processor_and_memory(run.options.loadgen_host);
    Container {
        name: Component::Loadgen.as_str().to_owned(),
        image: Some(run.options.image.to_string()),
        args: Some(arguments.map(str::to_owned).to_vec()),
        env: Some(vec![secret::variable(run, Component::Loadgen, "ACCELBENCH_RUN_TOKEN", RUN_TOKEN_KEY)]),
        // As much as it may use is guaranteed to it.
        resources: Some(ResourceRequirements {
            requests: Some(asked.clone()),
            limits: Some(asked),
            claims: None,
        }),
        security_context: Some(container::security(Privileges::Restricted)),
        ..Container::default()
    }
}

/// Keeps the load generators of all runs apart.
fn affinity(sharing: NodeSharing) -> Option<Affinity> {
    let others = LabelSelector {
        match_labels: Some(owned([(COMPONENT_LABEL, Component::Loadgen.as_str())])),
        ..LabelSelector::default()
    };
    let elsewhere = PodAffinityTerm {
        label_selector: Some(others),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    let apart = PodAntiAffinity {
        required_during_scheduling_ignored_during_execution: Some(vec![elsewhere]),
        ..PodAntiAffinity::default()
    };
    (sharing == NodeSharing::Forbidden)
        .then(|| Affinity { pod_anti_affinity: Some(apart), ..Affinity::default() })
}
