//! Kubernetes as a platform: the engine is a Deployment behind a Service, the load generator a Job, and one Lease owns
//! all that belongs to a run. What is written ([`manifests`]) and what is read off the cluster ([`diagnosis`]) are pure
//! functions; `cluster` is the only file that talks to the API server.
//!
//! A run ends when its Lease, deleted in the foreground, is gone: the API server keeps it until all else is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use accelbench_core::run::RunId;
use accelbench_store::logs::LogSource;
use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::{LoadJob, LoadState, LogTail, Platform, PlatformError, Readiness, RunContext, Teardown};

mod changes;
mod cluster;
mod deployment;
pub mod diagnosis;
mod engine;
pub mod examine;
mod loadgen;
mod machine;
pub mod manifests;
pub mod names;
pub mod options;
mod reach;
pub mod reap;
mod serving;

use changes::Changes;
use cluster::{Cluster, Container};
use manifests::{EngineSite, Manifest, RunToken};
use names::Component;
pub use options::KubernetesOptions;

/// What stands for the uid that the API server gives to a run's Lease.
const UID_TO_COME: &str = "00000000-0000-0000-0000-000000000000";

/// All objects of a run as a person may see them: secrets and the Lease's uid are left out.
///
/// # Errors
/// [`PlatformError::Refused`] for a run that no profile deploys, or that is not for a cluster.
pub fn preview(
    context: &RunContext,
    options: &KubernetesOptions,
    api_url: &Url,
) -> Result<Vec<Value>, PlatformError> {
    let container = deployment::container(context, options)?;
    let run = &context.run;
    let lease = manifests::lease(run.id, &deployment::tenure(run, "a worker"), options);
    let objects = deployment::objects(context, UID_TO_COME, options);
    let token = RunToken::new(String::new());
    let all = [Manifest::Lease(lease)].into_iter().chain(objects.engine(&container)).chain(objects.loadgen(
        api_url,
        &token,
        &EngineSite::default(),
    ));
    Ok(all.map(|manifest| manifest.elided()).collect())
}

/// How often a run's Lease is renewed.
const RENEWAL: Duration = Duration::from_secs(15);

/// How often a run is looked at when no watch tells of it: watches may be down.
const RHYTHM: Duration = Duration::from_secs(2);

/// Lines of a log that are kept with a run.
const KEPT_LINES: i64 = 2000;

/// A cluster, with the operator's settings.
pub struct KubernetesPlatform {
    cluster: Cluster,
    options: KubernetesOptions,
    /// The worker's name, which the Leases show.
    holder: String,
    changes: Changes,
    renewed: Mutex<HashMap<RunId, Instant>>,
}

impl KubernetesPlatform {
    /// Connects to the cluster in which this process runs, or else to the one that its kubeconfig names.
    ///
    /// # Errors
    /// When there is neither.
    pub async fn connect(options: KubernetesOptions, holder: String) -> anyhow::Result<Self> {
        let cluster = Cluster::connect(&options.namespace).await?;
        let changes = Changes::watch(&cluster);
        Ok(Self { cluster, options, holder, changes, renewed: Mutex::default() })
    }

    /// Says that the run is looked after, now and then; false when its Lease is gone or going.
    async fn heartbeat(&self, run_id: RunId) -> Result<bool, PlatformError> {
        let renewed = || self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed().get(&run_id).is_some_and(|at| at.elapsed() < RENEWAL) {
            return Ok(true);
        }
        let held = self.cluster.renew(run_id, &self.holder).await?;
        if held {
            renewed().insert(run_id, Instant::now());
        }
        Ok(held)
    }

    async fn log_of(&self, run_id: RunId, component: Component, source: LogSource) -> Option<LogTail> {
        let pods = self.cluster.pods(run_id, component).await.ok()?;
        let pod = engine::newest(&pods)?;
        let name = pod.metadata.name.as_deref()?;
        let before = match engine::restarts(pod) {
            0 => String::new(),
            _ => self.cluster.log(name, Container::Previous, KEPT_LINES / 2).await,
        };
        let present = self.cluster.log(name, Container::Present, KEPT_LINES).await;
        let lines = present.lines().count() + before.lines().count();
        let content = before + &present;
        let truncated = i64::try_from(lines).is_ok_and(|lines| lines >= KEPT_LINES / 2);
        (!content.is_empty()).then_some(LogTail { source, content, truncated })
    }
}

/// What becomes of a node that a run had for itself.
fn released(node: &str) -> String {
    format!(
        "all of the run is being removed; its node {node} is free for the next run until its pool reclaims it"
    )
}

/// What a run without a Lease comes to: somebody or the reaper ended it.
const LEASE_GONE: &str =
    "the run's Lease was deleted from outside, by the reaper or by hand, and with it all of the run";

#[async_trait]
impl Platform for KubernetesPlatform {
    async fn deploy(&self, context: &RunContext) -> Result<(), PlatformError> {
        self.changes.look(context.run.id);
        deployment::deploy(self, context).await
    }

    async fn readiness(&self, context: &RunContext) -> Result<Readiness, PlatformError> {
        self.changes.look(context.run.id);
        if !self.heartbeat(context.run.id).await? {
            return Ok(Readiness::Failed(LEASE_GONE.to_owned()));
        }
        engine::readiness(self, context).await
    }

    async fn prepare_load(&self, context: &RunContext, job: &LoadJob) -> Result<LoadState, PlatformError> {
        loadgen::prepare(self, context, job).await
    }

    async fn start_load(&self, context: &RunContext, job: &LoadJob) -> Result<(), PlatformError> {
        self.changes.look(context.run.id);
        loadgen::start(self, context, job).await
    }

    async fn load_state(&self, context: &RunContext) -> Result<LoadState, PlatformError> {
        if !self.heartbeat(context.run.id).await? {
            return Ok(LoadState::Ended(LEASE_GONE.to_owned()));
        }
        loadgen::state(self, context).await
    }

    async fn changed(&self, run_id: RunId, at_most: Duration) {
        self.changes.of(run_id, at_most.max(RHYTHM)).await;
    }

    async fn teardown(&self, run_id: RunId) -> Result<Teardown, PlatformError> {
        self.changes.look(run_id);
        match self.cluster.lease(run_id).await? {
            Some(lease) if lease.metadata.deletion_timestamp.is_none() => {
                // Only for words: whatever hinders them must not hinder the removal.
                let node = loadgen::engine_node(self, run_id).await.ok().flatten();
                self.cluster.delete_lease(&lease).await?;
                Ok(Teardown::InProgress(node.as_deref().map(released)))
            }
            Some(_) => Ok(Teardown::InProgress(None)),
            // A Lease that was deleted in another way may be gone before what it owned.
            None if !self.cluster.all_pods(run_id).await?.is_empty() => Ok(Teardown::InProgress(None)),
            None => Ok(Teardown::Gone),
        }
    }

    async fn logs(&self, run_id: RunId) -> Result<Vec<LogTail>, PlatformError> {
        let engine = self.log_of(run_id, Component::Engine, LogSource::Engine).await;
        let loadgen = self.log_of(run_id, Component::Loadgen, LogSource::Loadgen).await;
        Ok(engine.into_iter().chain(loadgen).collect())
    }

    async fn forget(&self, run_id: RunId) -> Result<(), PlatformError> {
        self.changes.forget(run_id);
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).remove(&run_id);
        Ok(())
    }

    async fn present(&self) -> Result<Vec<RunId>, PlatformError> {
        let leases = self.cluster.leases().await?;
        Ok(leases.iter().filter_map(|lease| names::run_of(lease.metadata.labels.as_ref()?)).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{KubernetesOptions, preview};
    use crate::platform::examples::context;

    #[test]
    fn a_preview_shows_every_object_and_no_secret() {
        let context = context(json!({"kind": "kubernetes", "engine": "simulator"}));
        let options = KubernetesOptions::new("registry.test/accelbench:0.1.0".parse().unwrap());
        let objects = preview(&context, &options, &"http://api:8080".parse().unwrap()).unwrap();
        let kinds: Vec<&str> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        let expected = [
            "Lease",
            "NetworkPolicy",
            "NetworkPolicy",
            "Service",
            "Deployment",
            "Secret",
            "NetworkPolicy",
            "Job",
        ];
        assert_eq!(kinds, expected);
        assert_eq!(objects[5]["data"]["run-token"], "***");
    }
}
