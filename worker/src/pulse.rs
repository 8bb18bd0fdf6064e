//! Whether a worker still does anything, for a probe. A database that is away is no reason to restart it: the clock's
//! loop then fails again and again, and beats all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The clock's loop comes round every two seconds, or every twelve without a database.
const SILENCE: Duration = Duration::from_mins(2);

/// Shared by the worker, which beats, and its probe, which listens.
#[derive(Debug, Clone)]
pub struct Pulse {
    start: Instant,
    last_beat_ms: Arc<AtomicU64>,
}

impl Default for Pulse {
    /// A start counts as a beat.
    fn default() -> Self {
        Self { start: Instant::now(), last_beat_ms: Arc::default() }
    }
}

impl Pulse {
    pub(crate) fn beat(&self) {
        let elapsed_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_beat_ms.store(elapsed_ms, Ordering::Relaxed);
    }

    /// Whether the worker has come round lately.
    #[must_use]
    pub fn beats(&self) -> bool {
        self.beats_after(self.start.elapsed())
    }

    fn beats_after(&self, elapsed: Duration) -> bool {
        let last_beat = Duration::from_millis(self.last_beat_ms.load(Ordering::Relaxed));
        elapsed.saturating_sub(last_beat) < SILENCE
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::Pulse;

    #[test]
    fn a_worker_that_is_silent_for_two_minutes_is_stuck() {
        let pulse = Pulse::default();
        assert!(pulse.beats_after(Duration::from_secs(119)));
        assert!(!pulse.beats_after(Duration::from_mins(2)));
        pulse.last_beat_ms.store(100_000, Ordering::Relaxed);
        assert!(pulse.beats_after(Duration::from_secs(219)));
        assert!(!pulse.beats_after(Duration::from_secs(220)));
    }
}
