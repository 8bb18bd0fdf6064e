//! The engine's Deployment: one replica that takes the whole instance.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, HTTPGetAction, PodSpec, Probe, ResourceRequirements, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pod::Placement;
use super::secret::HF_TOKEN_KEY;
use super::{EngineContainer, Privileges, RunObjects, container, pod, secret};
use crate::platform::kubernetes::names::{self, Component};

/// How often a starting engine is asked; an accelerator that is ready and not known to be costs money.
const STARTUP_PERIOD_S: u32 = 2;

/// The time to find a node, start it and pull the image, which Kubernetes counts as the Deployment's own, in seconds.
const PROVISIONING_S: u32 = 3600;

pub(super) fn engine(run: &RunObjects<'_>, engine: &EngineContainer) -> Deployment {
    let selector = LabelSelector {
        match_labels: Some(names::selector(run.run_id, Component::Engine)),
        ..LabelSelector::default()
    };
    Deployment {
        metadata: run.metadata(Component::Engine),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            revision_history_limit: Some(0),
            strategy: Some(DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None }),
            progress_deadline_seconds: Some((engine.startup_budget_s + PROVISIONING_S).cast_signed()),
            selector,
            template: pod::template(run, Component::Engine, pod_spec(run, engine)),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn pod_spec(run: &RunObjects<'_>, engine: &EngineContainer) -> PodSpec {
    let instance_type = engine.instance_type.as_ref();
    let exact = instance_type.map(|name| ("node.kubernetes.io/instance-type", name.to_string()));
    let placement = Placement { pool: &engine.pool, labels: exact.into_iter().collect() };
    let (volumes, mounts) = folders(engine).into_iter().unzip();
    PodSpec {
        service_account_name: run.options.engine_service_account.clone(),
        ..pod::spec(run, &placement, engine_container(run, engine, mounts), volumes)
    }
}

fn engine_container(run: &RunObjects<'_>, engine: &EngineContainer, mounts: Vec<VolumeMount>) -> Container {
    Container {
        name: Component::Engine.as_str().to_owned(),
        image: Some(engine.image.clone()),
        command: (!engine.command.is_empty()).then(|| engine.command.clone()),
        args: Some(engine.arguments.clone()),
        env: Some(environment(run, engine)),
        ports: Some(vec![ContainerPort {
            name: Some("http".to_owned()),
            container_port: i32::from(engine.port),
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        resources: Some(resources(engine)),
        volume_mounts: Some(mounts),
        startup_probe: Some(probe(engine, &engine.readiness_path, STARTUP_PERIOD_S, engine.startup_budget_s)),
        // A loaded engine answers late: it is not taken for unready within a minute.
        readiness_probe: Some(probe(engine, &engine.readiness_path, 2, 60)),
        liveness_probe: Some(probe(engine, &engine.liveness_path, 10, 60)),
        security_context: Some(container::security(engine.privileges)),
        ..Container::default()
    }
}

/// Asks for `path` every so often and gives up after `patience_s` of failures.
fn probe(engine: &EngineContainer, path: &str, period_s: u32, patience_s: u32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(i32::from(engine.port)),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_s.cast_signed()),
        failure_threshold: Some(patience_s.div_ceil(period_s).cast_signed()),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn environment(run: &RunObjects<'_>, engine: &EngineContainer) -> Vec<EnvVar> {
    let open = engine.environment.iter().map(|(name, value)| container::variable(name, value));
    let token = run.hf_token.map(|_| secret::variable(run, Component::Engine, "HF_TOKEN", HF_TOKEN_KEY));
    open.chain(token).collect()
}

/// Processors are asked for but not capped: a cap makes the engine wait where nobody else wants them.
fn resources(engine: &EngineContainer) -> ResourceRequirements {
    let mut requests = container::processor_and_memory(engine.host);
    requests.insert("ephemeral-storage".to_owned(), container::quantity(format!("{}Gi", engine.disk_gib)));
    if let Some(chips) = &engine.accelerators {
        requests.insert(chips.resource.clone(), container::quantity(chips.count));
    }
    let mut limits = requests.clone();
    limits.remove("cpu");
    ResourceRequirements { requests: Some(requests), limits: Some(limits), claims: None }
}

/// Foreign images write where they like, and their downloads go to a folder of known size; ours write to /tmp alone.
fn folders(engine: &EngineContainer) -> Vec<(Volume, VolumeMount)> {
    let disk = match engine.privileges {
        Privileges::AsImage => container::folder("cache", "/cache", format!("{}Gi", engine.disk_gib), None),
        Privileges::Restricted => container::folder("tmp", "/tmp", format!("{}Gi", engine.disk_gib), None),
    };
    let size = engine.shared_memory_gib;
    let shared =
        (size > 0).then(|| container::folder("shm", "/dev/shm", format!("{size}Gi"), Some("Memory")));
    [disk].into_iter().chain(shared).collect()
}
