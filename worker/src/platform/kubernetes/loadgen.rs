//! The load generator's Job: made once, as soon as it is known where the engine runs, and watched together with it.

use accelbench_core::run::RunId;
use k8s_openapi::api::batch::v1::Job;

use super::cluster::Container;
use super::diagnosis::{self, LoadFinding};
use super::manifests::RunToken;
use super::names::Component;
use super::{KubernetesPlatform, LEASE_GONE, deployment, engine, machine, serving};
use crate::platform::{LoadJob, LoadState, PlatformError, RunContext};

const TELLING_LINES: i64 = 20;

/// Lets the load generator start beside an engine that is not ready: its node and its image may take as long.
pub(super) async fn prepare(
    platform: &KubernetesPlatform,
    context: &RunContext,
    job: &LoadJob,
) -> Result<LoadState, PlatformError> {
    let run_id = context.run.id;
    if let Some(made) = platform.cluster.job(run_id).await? {
        return progress(platform, run_id, &made).await;
    }
    if let Some(node) = engine_node(platform, run_id).await? {
        make(platform, context, job, Some(&node)).await?;
    }
    Ok(LoadState::Running)
}

pub(super) async fn start(
    platform: &KubernetesPlatform,
    context: &RunContext,
    job: &LoadJob,
) -> Result<(), PlatformError> {
    if platform.cluster.job(context.run.id).await?.is_some() {
        return Ok(());
    }
    let node = engine_node(platform, context.run.id).await?;
    make(platform, context, job, node.as_deref()).await
}

/// A Job cannot be changed, and holds the engine's zone: it is made only where there is none.
async fn make(
    platform: &KubernetesPlatform,
    context: &RunContext,
    job: &LoadJob,
    engine_node: Option<&str>,
) -> Result<(), PlatformError> {
    let cluster = &platform.cluster;
    // A run whose Lease is gone is not begun anew.
    let lease =
        cluster.lease(context.run.id).await?.filter(|lease| lease.metadata.deletion_timestamp.is_none());
    let Some(uid) = lease.and_then(|lease| lease.metadata.uid) else { return Ok(()) };
    let node = match engine_node {
        Some(name) => cluster.node(name).await,
        None => None,
    };
    let site = machine::site(platform, context, node.as_ref())?;
    let token = RunToken::new(job.token.clone());
    let objects = deployment::objects(context, &uid, &platform.options);
    for manifest in objects.loadgen(&job.api_url, &token, &site) {
        cluster.apply(&manifest).await?;
    }
    Ok(())
}

/// The node on which the run's engine is, or was last.
pub(super) async fn engine_node(
    platform: &KubernetesPlatform,
    run_id: RunId,
) -> Result<Option<String>, PlatformError> {
    let pods = platform.cluster.pods(run_id, Component::Engine).await?;
    Ok(engine::newest(&pods).and_then(diagnosis::node_name).map(str::to_owned))
}

/// How the load is: the engine must be the one that was found ready, and the load generator must work.
pub(super) async fn state(
    platform: &KubernetesPlatform,
    context: &RunContext,
) -> Result<LoadState, PlatformError> {
    let run_id = context.run.id;
    let Some(lease) = platform.cluster.lease(run_id).await? else {
        return Ok(LoadState::Ended(LEASE_GONE.to_owned()));
    };
    if let Some(how) = serving::interruption(platform, context, &lease).await? {
        return Ok(LoadState::Ended(how));
    }
    match platform.cluster.job(run_id).await? {
        Some(job) => progress(platform, run_id, &job).await,
        None => Ok(LoadState::Ended("the load generator's Job is gone (deleted from outside?)".to_owned())),
    }
}

/// How far the load generator itself is.
async fn progress(
    platform: &KubernetesPlatform,
    run_id: RunId,
    job: &Job,
) -> Result<LoadState, PlatformError> {
    let pods = platform.cluster.pods(run_id, Component::Loadgen).await?;
    // A cluster may replace a pod that was deleted: what happened to the first one counts.
    let deleted = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_some());
    let pod = deleted.or_else(|| engine::newest(&pods));
    if diagnosis::loadgen(job, pod, &[], "") == LoadFinding::Running {
        return Ok(LoadState::Running);
    }
    let (events, log) = match pod.and_then(|pod| pod.metadata.name.as_deref()) {
        Some(name) => (
            platform.cluster.events_of(name).await,
            platform.cluster.log(name, Container::Present, TELLING_LINES).await,
        ),
        None => (platform.cluster.events_of_kind("Job", &job_name(run_id)).await, String::new()),
    };
    Ok(match diagnosis::loadgen(job, pod, &events, &log) {
        LoadFinding::Running => LoadState::Running,
        LoadFinding::Pending(detail) => LoadState::Pending(detail),
        LoadFinding::Ended(how) => LoadState::Ended(how),
    })
}

fn job_name(run_id: RunId) -> String {
    super::names::object(run_id, Component::Loadgen)
}
