//! The seam between driving a run and the machines it runs on. Every method may be called twice, or by two workers at
//! once: names derive from the run id, creating what exists means adopting it, and removing what is gone is success.
//! No method waits: time belongs to the driver.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use accelbench_core::instance::InstanceType;
use accelbench_core::model::Model;
use accelbench_core::run::{PlatformSpec, ReadyEndpoint, Run, RunId};
use accelbench_core::secret::HfToken;
use accelbench_store::logs::LogSource;
use async_trait::async_trait;
use url::Url;

mod command;
pub mod endpoint;
#[cfg(test)]
pub(crate) mod examples;
pub mod kubernetes;
pub mod local;
pub mod probe;
mod process;
mod unavailable;

/// A run with everything that a platform needs to know to deploy it.
#[derive(Debug)]
pub struct RunContext {
    /// The run.
    pub run: Run,
    /// What is known of its model.
    pub model: Model,
    /// What is known of its instance type.
    pub instance: InstanceType,
    /// The operator's command behind the engine's name; empty for the simulator and for endpoints.
    pub engine_command: Vec<String>,
    /// The person's Hugging Face token, if they gave one.
    pub hf_token: Option<HfToken>,
}

/// How far an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It is on its way; the text says what was last seen.
    Pending(String),
    /// It answers and serves the model.
    Ready(Box<ReadyEndpoint>),
    /// It will never be ready; the text says why.
    Failed(String),
}

/// How the load generator is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadState {
    /// It works.
    Running,
    /// It has not begun; the text says what it waits for.
    Pending(String),
    /// It ended; the text says how, with its last words.
    Ended(String),
}

/// How far the removal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teardown {
    /// Something is still there; where there is more to say of that, the sentence says it.
    InProgress(Option<String>),
    /// Nothing of the run is there any more.
    Gone,
}

/// What a load generator needs to find its run.
#[derive(Debug, Clone)]
pub struct LoadJob {
    /// Address of the API.
    pub api_url: Url,
    /// The token that admits to this run alone.
    pub token: String,
}

/// The last part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// Whose log.
    pub source: LogSource,
    /// The text.
    pub content: String,
    /// Whether something before it was cut off.
    pub truncated: bool,
}

/// Why a platform did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// It cannot be reached now; the same call may succeed later, and the deadline bounds how long that is tried.
    #[error("the platform cannot be reached: {0}")]
    Unreachable(String),
    /// It was reached and says no; trying again may help if the reason goes away.
    #[error("{0}")]
    Failed(String),
    /// It will never do this; the run ends with this reason.
    #[error("{0}")]
    Refused(String),
}

/// What every platform can do.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Starts the engine, or adopts the one that was started before.
    async fn deploy(&self, context: &RunContext) -> Result<(), PlatformError>;

    /// Looks how far the engine is.
    async fn readiness(&self, context: &RunContext) -> Result<Readiness, PlatformError>;

    /// Gets the load generator ready while the engine is not, where that takes long: an accelerator that waits for it is
    /// paid for. It gets its plan when the run is loading.
    async fn prepare_load(&self, _context: &RunContext, _job: &LoadJob) -> Result<LoadState, PlatformError> {
        Ok(LoadState::Running)
    }

    /// Starts the load generator unless it was started before.
    async fn start_load(&self, context: &RunContext, job: &LoadJob) -> Result<(), PlatformError>;

    /// Looks whether the load generator works.
    async fn load_state(&self, context: &RunContext) -> Result<LoadState, PlatformError>;

    /// Waits until something of the run has changed since it was looked at last, or for about `at_most` where the
    /// platform does not tell.
    async fn changed(&self, _run_id: RunId, at_most: Duration) {
        tokio::time::sleep(at_most).await;
    }

    /// Removes whatever of the run is there.
    async fn teardown(&self, run_id: RunId) -> Result<Teardown, PlatformError>;

    /// The last part of each log that the run left, for keeping.
    async fn logs(&self, run_id: RunId) -> Result<Vec<LogTail>, PlatformError>;

    /// Removes what was kept for [`Platform::logs`]; called when the run's end is recorded.
    async fn forget(&self, run_id: RunId) -> Result<(), PlatformError>;

    /// Every run of which something is on the platform, whoever knows of it.
    async fn present(&self) -> Result<Vec<RunId>, PlatformError>;
}

/// All platforms of this worker.
pub struct Platforms {
    local: Arc<dyn Platform>,
    endpoint: Arc<dyn Platform>,
    kubernetes: Arc<dyn Platform>,
}

impl Platforms {
    /// The platforms, with local processes kept under `state_dir` and started from `program`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(state_dir: PathBuf, program: PathBuf) -> std::io::Result<Self> {
        let processes = process::Processes::new(state_dir, program)?;
        let probe = probe::Probe::new();
        Ok(Self {
            local: Arc::new(local::LocalPlatform::new(processes.clone(), probe.clone())),
            endpoint: Arc::new(endpoint::EndpointPlatform::new(processes, probe)),
            kubernetes: Arc::new(unavailable::NoCluster),
        })
    }

    /// The same with a cluster.
    #[must_use]
    pub fn with_kubernetes(self, kubernetes: Arc<dyn Platform>) -> Self {
        Self { kubernetes, ..self }
    }

    /// Each platform behind what `wrap` makes of it, for instance one that refuses calls.
    #[must_use]
    pub fn wrapped(self, wrap: impl Fn(Arc<dyn Platform>) -> Arc<dyn Platform>) -> Self {
        Self { local: wrap(self.local), endpoint: wrap(self.endpoint), kubernetes: wrap(self.kubernetes) }
    }

    /// The platform that a run asks for.
    #[must_use]
    pub fn of(&self, spec: &PlatformSpec) -> &dyn Platform {
        match spec {
            PlatformSpec::Local { .. } => self.local.as_ref(),
            PlatformSpec::Endpoint { .. } => self.endpoint.as_ref(),
            PlatformSpec::Kubernetes { .. } => self.kubernetes.as_ref(),
        }
    }

    /// Every platform once, for looking after leftovers. Local processes, which also are the load generators of
    /// endpoint runs, are looked after by one of them.
    #[must_use]
    pub fn all(&self) -> [&dyn Platform; 2] {
        [self.local.as_ref(), self.kubernetes.as_ref()]
    }
}

/// How long an engine gets to end by itself before it is killed.
pub(crate) const TERMINATION_GRACE: Duration = Duration::from_secs(5);
