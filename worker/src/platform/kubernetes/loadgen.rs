//! The load generator's Job: made once, beside the engine, and watched together with it.

use accelbench_core::run::RunId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::cluster::Container;
use super::diagnosis::{self, LoadFinding};
use super::manifests::RunToken;
use super::names::Component;
use super::{KubernetesPlatform, deployment, engine};
use crate::platform::{LoadJob, LoadState, PlatformError, RunContext};

const TELLING_LINES: i64 = 20;

/// A Job cannot be changed, and holds the engine's zone: it is made only where there is none.
pub(super) async fn start(
    platform: &KubernetesPlatform,
    context: &RunContext,
    job: &LoadJob,
) -> Result<(), PlatformError> {
    let run_id = context.run.id;
    if platform.cluster.job(run_id).await?.is_some() {
        return Ok(());
    }
    // A run whose Lease is gone is not begun anew.
    let lease =
        platform.cluster.lease(run_id).await?.filter(|lease| lease.metadata.deletion_timestamp.is_none());
    let Some(uid) = lease.and_then(|lease| lease.metadata.uid) else { return Ok(()) };
    let zone = engine::zone(platform, run_id).await?;
    let token = RunToken::new(job.token.clone());
    let objects = deployment::objects(context, &uid, &platform.options);
    for manifest in objects.loadgen(&job.api_url, &token, zone.as_deref()) {
        platform.cluster.apply(&manifest).await?;
    }
    Ok(())
}

pub(super) async fn state(
    platform: &KubernetesPlatform,
    context: &RunContext,
) -> Result<LoadState, PlatformError> {
    let run_id = context.run.id;
    let Some(job) = platform.cluster.job(run_id).await? else {
        return Ok(LoadState::Ended("the load generator's Job is gone (deleted from outside?)".to_owned()));
    };
    let made_at = job.metadata.creation_timestamp.clone().unwrap_or(Time(k8s_openapi::jiff::Timestamp::MIN));
    if let Some(how) = engine::interruption(platform, context, &made_at).await? {
        return Ok(LoadState::Ended(how));
    }
    let pods = platform.cluster.pods(run_id, Component::Loadgen).await?;
    let pod = engine::newest(&pods);
    let name = pod.and_then(|pod| pod.metadata.name.as_deref());
    let running = diagnosis::loadgen(&job, pod, &[], "") == LoadFinding::Running;
    if running {
        return Ok(LoadState::Running);
    }
    let (events, log) = match name {
        Some(name) => (
            platform.cluster.events_of(name).await,
            platform.cluster.log(name, Container::Present, TELLING_LINES).await,
        ),
        None => (platform.cluster.events_of_kind("Job", &job_name(run_id)).await, String::new()),
    };
    Ok(match diagnosis::loadgen(&job, pod, &events, &log) {
        LoadFinding::Running => LoadState::Running,
        LoadFinding::Pending(detail) => LoadState::Pending(detail),
        LoadFinding::Ended(how) => LoadState::Ended(how),
    })
}

fn job_name(run_id: RunId) -> String {
    super::names::object(run_id, Component::Loadgen)
}
