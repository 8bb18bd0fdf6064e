//! A platform that refuses chosen calls of chosen runs and is otherwise the one behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelbench_core::run::RunId;
use accelbench_worker::platform::{
    LoadJob, LoadState, LogTail, Platform, PlatformError, Readiness, RunContext, Teardown,
};
use async_trait::async_trait;

/// A method of [`Platform`].
#[expect(missing_docs, reason = "each is named as its method")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Deploy,
    Readiness,
    PrepareLoad,
    StartLoad,
    LoadState,
    Teardown,
    Logs,
    Forget,
}

/// How calls fail.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The error that comes back.
    pub error: fn(String) -> PlatformError,
    /// How many calls fail before the platform obeys; `None`: all.
    pub times: Option<u32>,
    /// Whether what is asked is done before the error comes back, as when an answer is lost.
    pub after: bool,
}

/// The faults of each run; clones are the same table.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<HashMap<(RunId, Call), Fault>>>);

impl Faults {
    /// Lets calls fail from now on.
    pub fn set(&self, run_id: RunId, call: Call, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((run_id, call), fault);
    }

    /// Lets all calls of the run through.
    pub fn clear(&self, run_id: RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| *of != run_id);
    }

    fn take(&self, run_id: RunId, call: Call) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.get_mut(&(run_id, call))?;
        match &mut fault.times {
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(*fault)
            }
            None => Some(*fault),
        }
    }
}

/// A platform with faults.
pub struct FaultyPlatform {
    /// The platform that is asked when no fault is due.
    pub inner: Arc<dyn Platform>,
    /// What fails.
    pub faults: Faults,
}

impl FaultyPlatform {
    async fn ask<T: Send>(
        &self,
        run_id: RunId,
        call: Call,
        asked: impl Future<Output = Result<T, PlatformError>> + Send,
    ) -> Result<T, PlatformError> {
        let Some(fault) = self.faults.take(run_id, call) else { return asked.await };
        if fault.after {
            asked.await?;
        }
        Err((fault.error)(format!("the test lets {call:?} fail")))
    }
}

#[async_trait]
impl Platform for FaultyPlatform {
    async fn deploy(&self, context: &RunContext) -> Result<(), PlatformError> {
        self.ask(context.run.id, Call::Deploy, self.inner.deploy(context)).await
    }

    async fn readiness(&self, context: &RunContext) -> Result<Readiness, PlatformError> {
        self.ask(context.run.id, Call::Readiness, self.inner.readiness(context)).await
    }

    async fn prepare_load(&self, context: &RunContext, job: &LoadJob) -> Result<LoadState, PlatformError> {
        self.ask(context.run.id, Call::PrepareLoad, self.inner.prepare_load(context, job)).await
    }

    async fn start_load(&self, context: &RunContext, job: &LoadJob) -> Result<(), PlatformError> {
        self.ask(context.run.id, Call::StartLoad, self.inner.start_load(context, job)).await
    }

    async fn load_state(&self, context: &RunContext) -> Result<LoadState, PlatformError> {
        self.ask(context.run.id, Call::LoadState, self.inner.load_state(context)).await
    }

    async fn changed(&self, run_id: RunId, at_most: Duration) {
        self.inner.changed(run_id, at_most).await;
    }

    async fn teardown(&self, run_id: RunId) -> Result<Teardown, PlatformError> {
        self.ask(run_id, Call::Teardown, self.inner.teardown(run_id)).await
    }

    async fn logs(&self, run_id: RunId) -> Result<Vec<LogTail>, PlatformError> {
        self.ask(run_id, Call::Logs, self.inner.logs(run_id)).await
    }

    async fn forget(&self, run_id: RunId) -> Result<(), PlatformError> {
        self.ask(run_id, Call::Forget, self.inner.forget(run_id)).await
    }

    async fn present(&self) -> Result<Vec<RunId>, PlatformError> {
        self.inner.present().await
    }
}
