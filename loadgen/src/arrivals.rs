//! When the requests of an open loop are due: a function of rate, kind and seed.

use std::time::Duration;

use accelbench_core::load::{Arrivals, RequestRate};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, Exp1, Gamma};

/// Tells the arrivals apart from other random choices with the same seed.
const SALT: u64 = 0x00A2_21A1;

/// Moments of arrival, counted from the beginning, without end.
#[derive(Debug)]
pub(crate) struct Schedule {
    gaps: Gaps,
    random: StdRng,
    mean_gap_s: f64,
    at_s: f64,
}

#[derive(Debug)]
enum Gaps {
    Equal,
    Exponential,
    Gamma(Gamma<f64>),
}

impl Schedule {
    pub(crate) fn new(rate: RequestRate, seed: u64) -> Self {
        let gaps = match rate.arrivals {
            Arrivals::Constant => Gaps::Equal,
            Arrivals::Poisson => Gaps::Exponential,
            // Of mean 1 for every shape. A shape that is no number was refused with the request.
            Arrivals::Gamma { burstiness } => {
                Gamma::new(burstiness, burstiness.recip()).map_or(Gaps::Exponential, Gaps::Gamma)
            }
        };
        Self { gaps, random: StdRng::seed_from_u64(seed ^ SALT), mean_gap_s: rate.per_s.recip(), at_s: 0.0 }
    }

    /// The next moment.
    pub(crate) fn next(&mut self) -> Duration {
        let gap: f64 = match &self.gaps {
            Gaps::Equal => 1.0,
            Gaps::Exponential => Exp1.sample(&mut self.random),
            Gaps::Gamma(gamma) => gamma.sample(&mut self.random),
        };
        self.at_s += gap * self.mean_gap_s;
        Duration::from_secs_f64(self.at_s.min(1e9))
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
    use accelbench_core::load::{Arrivals, RequestRate};

    use super::{Schedule, variation};

    fn gaps(arrivals: Arrivals, count: usize) -> Vec<f64> {
        let mut schedule = Schedule::new(RequestRate { per_s: 4.0, arrivals }, 11);
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
    fn a_seed_makes_arrivals_repeatable() {
        assert_eq!(gaps(Arrivals::Poisson, 50), gaps(Arrivals::Poisson, 50));
    }
}
