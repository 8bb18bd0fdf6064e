//! What stands for the cluster in a worker that was not given one: it refuses to deploy, with the way out, and has
//! nothing to remove.

use accelbench_core::run::RunId;
use async_trait::async_trait;

use super::{LoadJob, LoadState, LogTail, Platform, PlatformError, Readiness, RunContext, Teardown};

pub(super) struct NoCluster;

fn refused() -> PlatformError {
    PlatformError::Refused(
        "this installation's worker was started without a cluster; start it with --kubernetes FILE"
            .to_owned(),
    )
}

#[async_trait]
impl Platform for NoCluster {
    async fn deploy(&self, _context: &RunContext) -> Result<(), PlatformError> {
        Err(refused())
    }

    async fn readiness(&self, _context: &RunContext) -> Result<Readiness, PlatformError> {
        Err(refused())
    }

    async fn start_load(&self, _context: &RunContext, _job: &LoadJob) -> Result<(), PlatformError> {
        Err(refused())
    }

    async fn load_state(&self, _context: &RunContext) -> Result<LoadState, PlatformError> {
        Err(refused())
    }

    /// Nobody can say that nothing is left on a cluster that cannot be seen.
    async fn teardown(&self, _run_id: RunId) -> Result<Teardown, PlatformError> {
        Err(PlatformError::Failed(
            "the run was on a cluster, and this worker was started without one; start it with --kubernetes FILE"
                .to_owned(),
        ))
    }

    async fn logs(&self, _run_id: RunId) -> Result<Vec<LogTail>, PlatformError> {
        Ok(Vec::new())
    }

    async fn forget(&self, _run_id: RunId) -> Result<(), PlatformError> {
        Ok(())
    }

    async fn present(&self) -> Result<Vec<RunId>, PlatformError> {
        Ok(Vec::new())
    }
}
