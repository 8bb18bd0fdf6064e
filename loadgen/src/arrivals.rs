//! When the requests of an open loop are due: a function of rate, kind and seed.

use std::time::Duration;

use accelbench_core::load::{Arrivals, RequestRate};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, Exp1, Gamma};

use crate::ramp_up::RampUp;

/// Tells the arrivals apart from other random choices with the same seed.
const SALT: u64 = 0x00A2_21A1;

/// No load point lasts as long, in seconds.
const LATEST_S: f64 = 1e9;

/// A trace of one moment, or of none but equal ones, does not begin again at once, in seconds.
const LEAST_GAP_S: f64 = 0.001;

/// Moments of arrival, counted from the beginning, without end.
#[derive(Debug)]
pub(crate) struct Schedule {
    moments: Moments,
    ramp_up: RampUp,
}

#[derive(Debug)]
enum Moments {
    Random(Box<RandomSchedule>),
    Replay(ReplaySchedule),
}

/// Gaps drawn from a distribution.
#[derive(Debug)]
struct RandomSchedule {
    gaps: Gaps,
    random: StdRng,
    mean_gap_s: f64,
    at_s: f64,
}

/// Moments of a trace, which begins again when it is over.
#[derive(Debug)]
struct ReplaySchedule {
    moments_s: Vec<f64>,
    speed: f64,
    next: usize,
}

#[derive(Debug)]
enum Gaps {
    Equal,
    Exponential,
    Gamma(Gamma<f64>),
}

impl Schedule {
    pub(crate) fn random(rate: RequestRate, seed: u64) -> Self {
        let gaps = match rate.arrivals {
            Arrivals::Constant => Gaps::Equal,
            Arrivals::Poisson => Gaps::Exponential,
            // Of mean 1 for every shape. A shape that is no number was refused with the request.
            Arrivals::Gamma { burstiness } => {
                Gamma::new(burstiness, burstiness.recip()).map_or(Gaps::Exponential, Gaps::Gamma)
            }
        };
        let random = StdRng::seed_from_u64(seed ^ SALT);
        let mean_gap_s = rate.per_s.recip();
        Self::of(Moments::Random(Box::new(RandomSchedule { gaps, random, mean_gap_s, at_s: 0.0 })))
    }

    /// The moments of a trace, in seconds and in order, at `speed` times their speed.
    pub(crate) fn replay(moments_s: Vec<f64>, speed: f64) -> Self {
        Self::of(Moments::Replay(ReplaySchedule { moments_s, speed, next: 0 }))
    }

    fn of(moments: Moments) -> Self {
        Self { moments, ramp_up: RampUp::default() }
    }

    /// The same with a beginning that rises.
    pub(crate) fn after(self, ramp_up: RampUp) -> Self {
        Self { ramp_up, ..self }
    }

    /// The next moment.
    pub(crate) fn next(&mut self) -> Duration {
        let at_s = match &mut self.moments {
            Moments::Random(schedule) => schedule.next_s(),
            Moments::Replay(schedule) => schedule.next_s(),
        };
        Duration::from_secs_f64(self.ramp_up.delayed_s(at_s).clamp(0.0, LATEST_S))
    }

    /// How many moments lie between two, from the beginning of the schedule on.
    pub(crate) fn due_in(mut self, (from, to): (Duration, Duration)) -> u64 {
        let latest = to.min(Duration::from_secs_f64(LATEST_S));
        let moments = std::iter::repeat_with(|| self.next());
        moments.take_while(|moment| *moment < latest).filter(|moment| *moment >= from).count() as u64
    }
}

impl RandomSchedule {
    fn next_s(&mut self) -> f64 {
        let gap: f64 = match &self.gaps {
            Gaps::Equal => 1.0,
            Gaps::Exponential => Exp1.sample(&mut self.random),
            Gaps::Gamma(gamma) => gamma.sample(&mut self.random),
        };
        self.at_s += gap * self.mean_gap_s;
        self.at_s
    }
}

impl ReplaySchedule {
    fn next_s(&mut self) -> f64 {
        let (round, index) =
            (self.next / self.moments_s.len().max(1), self.next % self.moments_s.len().max(1));
        self.next += 1;
        let (Some(moment), Some(last)) = (self.moments_s.get(index), self.moments_s.last()) else {
            return LATEST_S;
        };
        // Between the rounds lies a gap as long as the others are on average, and at least some time.
        let mean_gap = (last / self.moments_s.len() as f64).max(LEAST_GAP_S);
        (round as f64 * (last + mean_gap) + moment) / self.speed
    }
}

/// The standard deviation of the gaps over their mean.
pub(crate) fn variation(arrivals: Arrivals) -> f64 {
    match arrivals {
        Arrivals::Constant => 0.0,
        Arrivals::Poisson => 1.0,
        Arrivals::Gamma { burstiness } => burstiness.sqrt().recip(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use accelbench_core::load::{Arrivals, RequestRate};

    use super::{Schedule, variation};

    fn gaps(arrivals: Arrivals, count: usize) -> Vec<f64> {
        let mut schedule = Schedule::random(RequestRate { per_s: 4.0, arrivals }, 11);
        let moments: Vec<f64> = (0..=count).map(|_| schedule.next().as_secs_f64()).collect();
        moments.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn the_rate_and_the_variation_are_those_asked_for() {
        for arrivals in [
            Arrivals::Constant,
            Arrivals::Poisson,
            Arrivals::Gamma { burstiness: 0.25 },
            Arrivals::Gamma { burstiness: 4.0 },
        ] {
            let gaps = gaps(arrivals, 40_000);
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
            assert!((mean - 0.25).abs() < 0.01, "{arrivals:?}: mean gap {mean}");
            let found = variance.sqrt() / mean;
            assert!((found - variation(arrivals)).abs() < 0.06, "{arrivals:?}: variation {found}");
        }
    }

    #[test]
    fn a_trace_is_replayed_at_its_speed_and_begins_again() {
        let mut schedule = Schedule::replay(vec![0.0, 1.0, 4.0], 2.0);
        let moments: Vec<f64> = (0..7).map(|_| schedule.next().as_secs_f64()).collect();
        let gap = 4.0 / 3.0;
        let expected = [0.0, 0.5, 2.0, 2.0 + gap / 2.0, 2.5 + gap / 2.0, 4.0 + gap / 2.0, 4.0 + gap];
        for (found, expected) in moments.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{moments:?}");
        }
        let window = (Duration::from_millis(500), Duration::from_secs(2));
        assert_eq!(Schedule::replay(vec![0.0, 1.0, 4.0], 2.0).due_in(window), 1);
        assert_eq!(Schedule::replay(Vec::new(), 1.0).due_in(window), 0);
        assert!(Schedule::replay(vec![0.0], 1000.0).due_in(window) <= 1_500_001);
    }

    #[test]
    fn a_seed_makes_arrivals_repeatable() {
        assert_eq!(gaps(Arrivals::Poisson, 50), gaps(Arrivals::Poisson, 50));
    }
}
