//! One load point while it is measured: which requests count, and when the window opens and closes. Pure but for the
//! moments that it is told; every user of the load shares one behind a lock that is held for microseconds.

use std::time::Duration;

use accelbench_core::load::{LoadStage, Measurement};

use crate::sample::Sample;

mod in_flight;

use in_flight::InFlight;

/// The warm-up lasts at least this long.
const LEAST_WARMUP: Duration = Duration::from_secs(2);

/// The warm-up ends after this long in any case.
const MOST_WARMUP: Duration = Duration::from_mins(5);

/// A load point of a plan.
#[derive(Debug)]
pub(crate) struct Point {
    concurrency: usize,
    measurement: Measurement,
    stage: Stage,
    next_request: usize,
    in_flight: InFlight,
    finished_by_user: Vec<u32>,
    counted_in_flight: u64,
    pub(crate) tally: Tally,
    pub(crate) samples: Vec<Sample>,
    /// Answers outside the window whose tokens may have arrived inside it.
    pub(crate) uncounted: Vec<Sample>,
    /// From a user's last answer to its next send, in the window.
    pub(crate) send_lags: Vec<Duration>,
    failures_in_a_row: usize,
    last_failure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    WarmingUp,
    Measuring { opened_at: Duration },
    Draining { opened_at: Duration, closed_at: Duration },
    Over { window: Option<(Duration, Duration)> },
}

/// Counts for the progress and the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) warmup_requests: u64,
    pub(crate) warmup: Duration,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
}

/// Permission to send one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    /// Which prompt to send, counted over the load point.
    pub(crate) request: usize,
    counted: bool,
}

impl Point {
    pub(crate) fn new(concurrency: usize, measurement: Measurement) -> Self {
        Self {
            concurrency,
            measurement,
            stage: Stage::WarmingUp,
            next_request: 0,
            in_flight: InFlight::default(),
            finished_by_user: vec![0; concurrency],
            counted_in_flight: 0,
            tally: Tally::default(),
            samples: Vec::new(),
            uncounted: Vec::new(),
            send_lags: Vec::new(),
            failures_in_a_row: 0,
            last_failure: None,
        }
    }

    /// Lets a user send its next request at `now`, `lag` after its last one ended; `None` when the load point is over.
    pub(crate) fn begin(&mut self, now: Duration, lag: Duration) -> Option<Ticket> {
        self.look(now);
        let counted = match self.stage {
            Stage::Over { .. } => return None,
            Stage::Measuring { .. } => true,
            Stage::WarmingUp | Stage::Draining { .. } => false,
        };
        if counted {
            self.counted_in_flight += 1;
            self.send_lags.push(lag);
        }
        self.in_flight.change(now, 1);
        self.next_request += 1;
        Some(Ticket { request: self.next_request - 1, counted })
    }

    /// Takes what became of a request.
    pub(crate) fn end(&mut self, user: usize, ticket: Ticket, sample: Sample, now: Duration) {
        self.in_flight.change(now, -1);
        if let Some(finished) = self.finished_by_user.get_mut(user) {
            *finished += 1;
        }
        self.note_failure(&sample);
        if ticket.counted {
            self.counted_in_flight -= 1;
            if sample.outcome.is_ok() {
                self.tally.completed += 1;
            } else {
                self.tally.failed += 1;
            }
            self.samples.push(sample);
        } else {
            self.tally.warmup_requests += u64::from(self.stage == Stage::WarmingUp);
            self.uncounted.push(sample);
        }
        self.look(now);
    }

    /// Moves on to the next stage when it is time.
    pub(crate) fn look(&mut self, now: Duration) {
        match self.stage {
            Stage::WarmingUp if self.is_warm(now) => {
                self.stage = Stage::Measuring { opened_at: now };
                self.tally.warmup = now;
                self.in_flight.restart(now);
            }
            Stage::Measuring { opened_at } if self.has_enough(now.saturating_sub(opened_at)) => {
                self.in_flight.stop(now);
                self.stage = Stage::Draining { opened_at, closed_at: now };
                self.look(now);
            }
            Stage::Draining { opened_at, closed_at } if self.counted_in_flight == 0 => {
                self.stage = Stage::Over { window: Some((opened_at, closed_at)) };
            }
            _ if self.is_hopeless() => self.stage = Stage::Over { window: None },
            _ => {}
        }
    }

    /// Whether the load point is over.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over { .. })
    }

    /// The measured window, once it is closed.
    pub(crate) fn window(&self) -> Option<(Duration, Duration)> {
        match self.stage {
            Stage::Over { window } => window,
            Stage::Draining { opened_at, closed_at } => Some((opened_at, closed_at)),
            Stage::WarmingUp | Stage::Measuring { .. } => None,
        }
    }

    /// The failure that ended the load point, in words.
    pub(crate) fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }

    /// Time-weighted mean number of requests in flight in the window.
    pub(crate) fn concurrency_mean(&self) -> f64 {
        self.in_flight.mean()
    }

    /// Stage and share of the load point that is done.
    pub(crate) fn progress(&self, now: Duration) -> (LoadStage, f64) {
        match self.stage {
            Stage::WarmingUp => (LoadStage::WarmingUp, 0.0),
            Stage::Measuring { opened_at } => {
                let by_time = now.saturating_sub(opened_at).as_secs_f64() / self.measurement.min_duration_s;
                let ended = self.tally.completed + self.tally.failed;
                let by_requests = ended as f64 / f64::from(self.measurement.min_requests);
                (LoadStage::Measuring, by_time.min(by_requests).clamp(0.0, 0.99))
            }
            Stage::Draining { .. } | Stage::Over { .. } => (LoadStage::Draining, 0.99),
        }
    }

    /// Every user has had an answer, so that connections are open and the engine has seen the full load.
    fn is_warm(&self, now: Duration) -> bool {
        let everybody = self.finished_by_user.iter().all(|&finished| finished > 0);
        let enough = self.tally.warmup_requests >= 2 * self.concurrency as u64;
        now >= MOST_WARMUP || (everybody && enough && now >= LEAST_WARMUP && self.failures_in_a_row == 0)
    }

    fn has_enough(&self, open_for: Duration) -> bool {
        let open_for = open_for.as_secs_f64();
        let ended = self.tally.completed + self.tally.failed;
        let enough = ended >= u64::from(self.measurement.min_requests);
        open_for >= self.measurement.max_duration_s || (enough && open_for >= self.measurement.min_duration_s)
    }

    /// Nothing but failures: the engine is gone or refuses everything.
    fn is_hopeless(&self) -> bool {
        self.failures_in_a_row >= (2 * self.concurrency).max(50)
    }

    fn note_failure(&mut self, sample: &Sample) {
        match &sample.outcome {
            Ok(_) => self.failures_in_a_row = 0,
            Err(failure) => {
                self.failures_in_a_row += 1;
                self.last_failure = Some(failure.message.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
