//! How many requests are in flight, as a mean over time.

use std::time::Duration;

/// Integrates the number of requests in flight.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    now: i64,
    since: Duration,
    changed_at: Duration,
    area: f64,
    stopped: bool,
}

impl InFlight {
    /// One request more or less from `at` on.
    pub(super) fn change(&mut self, at: Duration, by: i64) {
        self.integrate(at);
        self.now += by;
    }

    /// Begins a new mean at `at`; the requests in flight stay in flight.
    pub(super) fn restart(&mut self, at: Duration) {
        (self.since, self.changed_at, self.area) = (at, at, 0.0);
    }

    /// Ends the mean at `at`.
    pub(super) fn stop(&mut self, at: Duration) {
        self.integrate(at);
        self.stopped = true;
    }

    /// The mean since the restart.
    pub(super) fn mean(&self) -> f64 {
        let span = self.changed_at.saturating_sub(self.since).as_secs_f64();
        if span > 0.0 { self.area / span } else { 0.0 }
    }

    fn integrate(&mut self, at: Duration) {
        if !self.stopped {
            self.area += self.now as f64 * at.saturating_sub(self.changed_at).as_secs_f64();
            self.changed_at = self.changed_at.max(at);
        }
    }
}
