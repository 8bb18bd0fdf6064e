//! Where progress and reports go: the API of a run, or whatever else wants to hear of a load.

use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadProgress, LoadReport};

/// Hears of a load while it is measured.
pub trait LoadSink: Sync {
    /// Hears about once a second how far the load is. Nothing waits for it.
    ///
    /// # Errors
    /// When nobody wants the load any more: it ends.
    fn progress(&self, progress: &LoadProgress) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Takes the report of a load point; the next load point begins when it returns.
    ///
    /// # Errors
    /// When the report will never be taken: the load ends.
    fn report(&self, report: &LoadReport) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Hears what an exploration found, after its last report.
    ///
    /// # Errors
    /// When it will never be taken.
    fn conclusion(&self, conclusion: &Conclusion) -> impl Future<Output = anyhow::Result<()>> + Send;
}
