//! One load point while it is measured: which requests count, and when the window opens and closes. Pure but for the
//! moments that it is told; every user of the load shares one behind a lock that is held for microseconds.

use std::time::Duration;

use accelbench_core::load::{LoadStage, Measurement, OfferedLoad};

use crate::ramp_up::RampUp;
use crate::sample::Sample;

mod failures;
mod in_flight;
mod settling;
mod so_far;

use failures::Failures;
use in_flight::InFlight;
use settling::Settling;
use so_far::SoFar;

/// The warm-up lasts at least this long, or as long as the window where that is shorter.
const LEAST_WARMUP: Duration = Duration::from_secs(2);

/// The warm-up ends after this long in any case.
const MOST_WARMUP: Duration = Duration::from_mins(5);

/// A load point of a plan.
#[derive(Debug)]
pub(crate) struct Point {
    /// Users of a closed loop; one for an open loop, whose requests belong to nobody.
    users: usize,
    measurement: Measurement,
    stage: Stage,
    next_request: usize,
    in_flight: InFlight,
    finished_by_user: Vec<u32>,
    settling: Settling,
    counted_in_flight: u64,
    pub(crate) tally: Tally,
    pub(crate) samples: Vec<Sample>,
    /// Answers that began before the window and ended after its opening: their tokens may have arrived inside it.
    pub(crate) uncounted: Vec<Sample>,
    /// From a user's last answer to its next send, in the window.
    pub(crate) send_lags: Vec<Duration>,
    pub(crate) so_far: SoFar,
    failures: Failures,
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
    /// Whether the warm-up ended because the latencies had settled, and not because its time was up.
    pub(crate) warmup_settled: bool,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    /// Output tokens of all answers that ended, inside and outside the window.
    pub(crate) output_tokens: u64,
}

/// Permission to send one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    /// Which prompt to send, counted over the load point.
    pub(crate) request: usize,
    counted: bool,
    free_since: Duration,
}

impl Point {
    pub(crate) fn new(load: OfferedLoad, measurement: Measurement) -> Self {
        let users = load.concurrency().map_or(1, |concurrency| concurrency as usize);
        Self {
            users,
            measurement,
            stage: Stage::WarmingUp,
            next_request: 0,
            in_flight: InFlight::default(),
            finished_by_user: vec![0; users],
            settling: Settling::default(),
            counted_in_flight: 0,
            tally: Tally::default(),
            samples: Vec::new(),
            uncounted: Vec::new(),
            send_lags: Vec::new(),
            so_far: SoFar::default(),
            failures: Failures::default(),
        }
    }

    /// A load point whose latencies settle at once, for tests of what follows.
    #[cfg(test)]
    pub(crate) fn settled(load: OfferedLoad, measurement: Measurement) -> Self {
        Self { settling: Settling::settled(), ..Self::new(load, measurement) }
    }

    /// Lets a user that is free since `free_since` send its next request; `None` when the load point is over.
    pub(crate) fn begin(&mut self, now: Duration, free_since: Duration) -> Option<Ticket> {
        self.look(now);
        let counted = match self.stage {
            Stage::Over { .. } => return None,
            Stage::Measuring { .. } => true,
            Stage::WarmingUp | Stage::Draining { .. } => false,
        };
        self.counted_in_flight += u64::from(counted);
        self.in_flight.change(now, 1);
        self.next_request += 1;
        Some(Ticket { request: self.next_request - 1, counted, free_since })
    }

    /// Takes what became of a request.
    pub(crate) fn end(&mut self, user: usize, ticket: Ticket, sample: Sample, now: Duration) {
        self.in_flight.change(now, -1);
        if let Some(finished) = self.finished_by_user.get_mut(user) {
            *finished += 1;
        }
        self.failures.note(&sample);
        self.tally.output_tokens += sample.outcome.as_ref().map_or(0, |answer| answer.output_tokens);
        if ticket.counted {
            self.counted_in_flight -= 1;
            self.send_lags.push(sample.sent_at.saturating_sub(ticket.free_since));
            match &sample.outcome {
                Ok(answer) => {
                    self.tally.completed += 1;
                    self.so_far.note(&sample, answer);
                }
                Err(_) => self.tally.failed += 1,
            }
            self.samples.push(sample);
        } else if self.stage == Stage::WarmingUp {
            self.tally.warmup_requests += 1;
            // While the load rises, latencies are those of another load.
            if let Ok(answer) = &sample.outcome
                && sample.sent_at >= self.ramp_up().length()
            {
                self.settling.add(answer.ended_at.saturating_sub(sample.sent_at).as_secs_f64());
            }
        } else if self.window().is_none_or(|(_, closed_at)| sample.sent_at < closed_at) {
            self.uncounted.push(sample);
        }
        self.look(now);
    }

    /// Moves on to the next stage when it is time.
    pub(crate) fn look(&mut self, now: Duration) {
        let warm = self.stage == Stage::WarmingUp && self.is_warm(now);
        match self.stage {
            Stage::WarmingUp if warm => {
                self.stage = Stage::Measuring { opened_at: now };
                self.tally.warmup = now;
                self.tally.warmup_settled = self.settling.is_settled();
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
            Stage::WarmingUp | Stage::Measuring { .. } if self.is_hopeless() => {
                self.stage = Stage::Over { window: None };
            }
            _ => {}
        }
    }

    /// Ends the load point without a window: nobody waits for it any more. One that is over stays as it is.
    pub(crate) fn abandon(&mut self) {
        if !self.is_over() {
            self.stage = Stage::Over { window: None };
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

    /// The commonest failure of the load point, in words.
    pub(crate) fn commonest_failure(&self) -> Option<&str> {
        self.failures.commonest()
    }

    /// Requests that began in the window.
    pub(crate) fn counted(&self) -> usize {
        self.samples.len()
    }

    /// Requests sent so far, counted or not.
    pub(crate) fn requests_sent(&self) -> usize {
        self.next_request
    }

    /// Time-weighted mean number of requests in flight in the window.
    pub(crate) fn concurrency_mean(&self) -> f64 {
        self.in_flight.mean()
    }

    /// Time-weighted mean number of the answered requests in flight between two moments.
    pub(crate) fn in_flight_in(&self, from: Duration, to: Duration) -> f64 {
        let overlap = |sample: &Sample| {
            let ended_at = sample.outcome.as_ref().ok()?.ended_at;
            Some(ended_at.min(to).saturating_sub(sample.sent_at.max(from)).as_secs_f64())
        };
        let area: f64 = self.samples.iter().chain(&self.uncounted).filter_map(overlap).sum();
        area / to.saturating_sub(from).as_secs_f64().max(1e-9)
    }

    /// Stage and share of the load point that is done.
    pub(crate) fn progress(&self, now: Duration) -> (LoadStage, f64) {
        match self.stage {
            Stage::WarmingUp => (LoadStage::WarmingUp, 0.0),
            Stage::Measuring { opened_at } => {
                let Measurement { min_duration_s, min_requests, max_duration_s, .. } = self.measurement;
                let open_for = now.saturating_sub(opened_at).as_secs_f64();
                let ended = self.tally.completed + self.tally.failed;
                let by_requests = ended as f64 / f64::from(min_requests.max(1));
                let by_time = open_for / min_duration_s.max(1e-3);
                let at_most = open_for / max_duration_s.max(1e-3);
                (LoadStage::Measuring, by_time.min(by_requests).max(at_most).clamp(0.0, 0.99))
            }
            Stage::Draining { .. } | Stage::Over { .. } => (LoadStage::Draining, 0.99),
        }
    }

    /// Every user has had an answer, so that connections are open and the engine has seen the full load, and the
    /// latencies have settled; who waits for that as long as the window is to last waits no longer.
    fn is_warm(&mut self, now: Duration) -> bool {
        let window = Duration::from_secs_f64(self.measurement.min_duration_s.max(0.0));
        let Some(now) = now.checked_sub(self.ramp_up().length()) else { return false };
        let everybody = self.finished_by_user.iter().all(|&finished| finished > 0);
        let enough = self.tally.warmup_requests >= 2 * self.users as u64;
        let ready = everybody && enough && now >= LEAST_WARMUP.min(window) && self.failures.in_a_row == 0;
        now >= MOST_WARMUP || (ready && (now >= window || self.settling.is_settled()))
    }

    fn ramp_up(&self) -> RampUp {
        RampUp::over(self.measurement.ramp_up_s)
    }

    fn has_enough(&self, open_for: Duration) -> bool {
        let open_for = open_for.as_secs_f64();
        let ended = self.tally.completed + self.tally.failed;
        let enough = ended >= u64::from(self.measurement.min_requests);
        open_for >= self.measurement.max_duration_s || (enough && open_for >= self.measurement.min_duration_s)
    }

    /// Nothing but failures: the engine is gone or refuses everything.
    fn is_hopeless(&self) -> bool {
        self.failures.in_a_row >= (2 * self.users).max(50)
    }
}

#[cfg(test)]
mod tests;
