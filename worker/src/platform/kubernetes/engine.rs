//! How far the engine is: whether it answers and what it is, otherwise what keeps it, in words.

use accelbench_core::engine::profile::ENGINE_PORT;
use accelbench_core::observed::Observed;
use accelbench_core::run::ReadyEndpoint;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use serde_json::Value;

use super::cluster::Container;
use super::diagnosis::{self, EngineObservation, Finding};
use super::manifests::engine_url;
use super::names::{self, Component};
use super::reach::Reached;
use super::{KubernetesPlatform, LEASE_GONE, deployment, machine, serving};
use crate::platform::{PlatformError, Readiness, RunContext, probe};

/// Lines of a log that are looked at for a cause.
const TELLING_LINES: i64 = 60;

/// What was read of an engine.
pub(super) struct Sight {
    pub(super) pod: Option<Pod>,
    events: Vec<Event>,
    node_claims: Vec<Value>,
    log_tail: String,
}

pub(super) async fn readiness(
    platform: &KubernetesPlatform,
    context: &RunContext,
) -> Result<Readiness, PlatformError> {
    let pods = platform.cluster.pods(context.run.id, Component::Engine).await?;
    // One that was started again and serves now is as good as any: what is measured begins after this.
    if let Some(pod) = newest(&pods).filter(|pod| diagnosis::is_ready(pod)) {
        let answered = answer(platform, context, pod).await?;
        let is_ready = matches!(answered, Readiness::Ready(_));
        if is_ready && !serving::note(platform, context.run.id, pod).await? {
            return Ok(Readiness::Failed(LEASE_GONE.to_owned()));
        }
        return Ok(answered);
    }
    let sight = look(platform, context, pods).await?;
    Ok(match diagnosis::engine(&sight.observation(context)?) {
        Finding::Pending(sentence) => Readiness::Pending(sentence),
        Finding::Fatal(sentence) => Readiness::Failed(sentence),
    })
}

async fn answer(
    platform: &KubernetesPlatform,
    context: &RunContext,
    pod: &Pod,
) -> Result<Readiness, PlatformError> {
    let run_id = context.run.id;
    let base_url = engine_url(run_id, ENGINE_PORT, &platform.options);
    let arguments = deployment::container(context, &platform.options)?.arguments;
    let reach = Reached::of(platform, run_id, &base_url);
    Ok(match probe::look(&reach, &base_url, &context.run.spec.model, arguments).await {
        Readiness::Ready(mut endpoint) => {
            describe(platform, context, pod, &mut endpoint).await?;
            Readiness::Ready(endpoint)
        }
        other => other,
    })
}

/// What the cluster knows of the engine and its machine.
async fn describe(
    platform: &KubernetesPlatform,
    context: &RunContext,
    pod: &Pod,
    endpoint: &mut ReadyEndpoint,
) -> Result<(), PlatformError> {
    endpoint.engine.image_digest = image_digest(pod);
    let (machine, metrics) = machine::of(platform, context, pod).await?;
    (endpoint.machine, endpoint.accelerator_metrics) = (Some(machine), metrics);
    Ok(())
}

/// The digest of the image that really runs.
fn image_digest(pod: &Pod) -> Observed<String> {
    let digest = container(pod).and_then(|status| status.image_id.rsplit_once("sha256:"));
    digest.map_or_else(
        || Observed::absent("the node does not say which image it runs"),
        |(_, digest)| Observed::Value(format!("sha256:{digest}")),
    )
}

pub(super) async fn look(
    platform: &KubernetesPlatform,
    context: &RunContext,
    pods: Vec<Pod>,
) -> Result<Sight, PlatformError> {
    let cluster = &platform.cluster;
    let pod = newest(&pods).cloned();
    let Some(name) = pod.as_ref().and_then(|pod| pod.metadata.name.clone()) else {
        let deployment = names::object(context.run.id, Component::Engine);
        let events = cluster.events_of_kind("ReplicaSet", &deployment).await;
        return Ok(Sight { pod: None, events, node_claims: Vec::new(), log_tail: String::new() });
    };
    let events = cluster.events_of(&name).await;
    let waits = pod.as_ref().is_some_and(|pod| diagnosis::node_name(pod).is_none());
    let claim = match diagnosis::nominated_claim(&events).filter(|_| waits) {
        Some(claim) => cluster.node_claim(claim).await,
        None => None,
    };
    let log = match pod.as_ref().and_then(telling_container) {
        Some(which) => cluster.log(&name, which, TELLING_LINES).await,
        None => String::new(),
    };
    // An engine may write the token that it was given, and what is quoted may be cut in the middle of it.
    let log_tail = context.hf_token.as_ref().map_or(log.clone(), |token| token.redact(&log));
    Ok(Sight { pod, events, node_claims: claim.into_iter().collect(), log_tail })
}

impl Sight {
    pub(super) fn observation<'a>(
        &'a self,
        context: &'a RunContext,
    ) -> Result<EngineObservation<'a>, PlatformError> {
        Ok(EngineObservation {
            model: context.run.spec.model.as_str(),
            profile: deployment::plan(context)?.map(|plan| plan.profile),
            pod: self.pod.as_ref(),
            events: &self.events,
            node_claims: &self.node_claims,
            log_tail: &self.log_tail,
        })
    }
}

/// The pod that was made last.
pub(super) fn newest(pods: &[Pod]) -> Option<&Pod> {
    pods.iter().max_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|at| at.0))
}

/// How often its container was started again.
pub(super) fn restarts(pod: &Pod) -> i32 {
    container(pod).map_or(0, |status| status.restart_count)
}

fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

/// The container whose log tells why: the one that ended.
fn telling_container(pod: &Pod) -> Option<Container> {
    let status = container(pod)?;
    let state = status.state.as_ref();
    if state.is_some_and(|state| state.terminated.is_some()) {
        return Some(Container::Present);
    }
    if status.restart_count > 0 {
        return Some(Container::Previous);
    }
    state.is_some_and(|state| state.running.is_some()).then_some(Container::Present)
}
