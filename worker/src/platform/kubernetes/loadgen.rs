//! The load generator's Job: made once, beside the engine, and watched together with it.

use accelbench_core::run::RunId;

use super::cluster::Container;
use super::diagnosis::{self, LoadFinding};
use super::manifests::{Manifest, RunToken};
use super::names::Component;
use super::{KubernetesPlatform, deployment, engine};
use crate::platform::{LoadJob, LoadState, PlatformError, RunContext};

const TELLING_LINES: i64 = 20;

/// The annotation of the Job that says which pod served when the load began. Moments do not tell two pods of one second
/// apart.
const SERVED_BY: &str = "accelbench.dev/served-by";

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
    let (served_by, zone) = engine::serving(platform, run_id).await?;
    let token = RunToken::new(job.token.clone());
    let objects = deployment::objects(context, &uid, &platform.options);
    for mut manifest in objects.loadgen(&job.api_url, &token, zone.as_deref()) {
        if let Manifest::Job(job) = &mut manifest {
            job.metadata.annotations = served_by.clone().map(|uid| [(SERVED_BY.to_owned(), uid)].into());
        }
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
    let served_by = job.metadata.annotations.as_ref().and_then(|all| all.get(SERVED_BY));
    let served_by = served_by.map_or("", String::as_str);
    if let Some(how) = engine::interruption(platform, context, served_by).await? {
        return Ok(LoadState::Ended(how));
    }
    let pods = platform.cluster.pods(run_id, Component::Loadgen).await?;
    // A cluster may replace a pod that was deleted: what happened to the first one counts.
    let deleted = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_some());
    let pod = deleted.or_else(|| engine::newest(&pods));
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
