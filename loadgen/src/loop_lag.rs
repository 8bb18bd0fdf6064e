//! How late the program itself runs: a timer that asks for a moment and looks how late it came. What is late here is
//! late in every latency too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

const INTERVAL: Duration = Duration::from_millis(10);

/// The timer; it ends with the value.
pub(crate) struct LoopLag {
    lags: Arc<Mutex<Vec<Duration>>>,
    task: JoinHandle<()>,
}

impl LoopLag {
    pub(crate) fn start() -> Self {
        let lags = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(watch(Arc::clone(&lags)));
        Self { lags, task }
    }

    /// The lateness that 99 % of all looks stayed below.
    pub(crate) fn p99(&self) -> Duration {
        let mut lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lags.sort_unstable();
        let rank = (lags.len() * 99).div_ceil(100).saturating_sub(1);
        lags.get(rank).copied().unwrap_or_default()
    }
}

impl Drop for LoopLag {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(lags: Arc<Mutex<Vec<Duration>>>) {
    loop {
        let due = Instant::now() + INTERVAL;
        sleep_until(due).await;
        lags.lock().unwrap_or_else(PoisonError::into_inner).push(due.elapsed());
    }
}
