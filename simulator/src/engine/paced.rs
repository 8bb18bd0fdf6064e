//! An engine whose times do not depend on load: the first token after a given time, then one after each gap. Gaps are
//! constant or lognormal about their median. For tests of clients, whose own error it shows.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution as _, LogNormal};

use super::{Emission, Gauges, Sequence};

/// How the times vary.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spread {
    /// Not at all.
    Fixed,
    /// Lognormal with the given times as medians.
    Lognormal { sigma: f64, seed: u64 },
}

/// The engine.
#[derive(Debug)]
pub(crate) struct Paced {
    ttft: Duration,
    itl: Duration,
    spread: Spread,
    due: BinaryHeap<Reverse<(Duration, u64)>>,
    sequences: HashMap<u64, Pace>,
}

#[derive(Debug)]
struct Pace {
    remaining_tokens: u32,
    factors: Factors,
}

/// The factors by which one sequence's times deviate from the median.
#[derive(Debug)]
enum Factors {
    One,
    Drawn(LogNormal<f64>, Xoshiro256PlusPlus),
}

impl Paced {
    pub(crate) fn new(ttft: Duration, itl: Duration, spread: Spread) -> Self {
        Self { ttft, itl, spread, due: BinaryHeap::new(), sequences: HashMap::new() }
    }

    pub(crate) fn submit(&mut self, now: Duration, sequence: Sequence) {
        let mut factors = Factors::of(self.spread, sequence.id);
        let first_at = now + factors.apply(self.ttft);
        self.due.push(Reverse((first_at, sequence.id)));
        self.sequences.insert(sequence.id, Pace { remaining_tokens: sequence.output_tokens, factors });
    }

    pub(crate) fn abort(&mut self, id: u64) {
        self.sequences.remove(&id);
    }

    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    pub(crate) fn advance(&mut self, now: Duration) -> Vec<Emission> {
        let mut emissions = Vec::new();
        while let Some(Reverse((at, id))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.due.pop();
            let Some(pace) = self.sequences.get_mut(&id) else {
                continue;
            };
            pace.remaining_tokens = pace.remaining_tokens.saturating_sub(1);
            let last = pace.remaining_tokens == 0;
            if last {
                self.sequences.remove(&id);
            } else {
                self.due.push(Reverse((at + pace.factors.apply(self.itl), id)));
            }
            emissions.push(Emission { id, at, last });
        }
        emissions
    }

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges { running: self.sequences.len(), ..Gauges::default() }
    }
}

impl Factors {
    fn of(spread: Spread, id: u64) -> Self {
        match spread {
            Spread::Fixed => Self::One,
            Spread::Lognormal { sigma, seed } => {
                let random = Xoshiro256PlusPlus::seed_from_u64(seed ^ id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                LogNormal::new(0.0, sigma).map_or(Self::One, |factors| Self::Drawn(factors, random))
            }
        }
    }

    fn apply(&mut self, median: Duration) -> Duration {
        match self {
            Self::One => median,
            // A gap of more than an hour is no simulation of anything, and could overflow a duration.
            Self::Drawn(factors, random) => {
                Duration::from_secs_f64((median.as_secs_f64() * factors.sample(random)).min(3600.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Paced, Spread};
    use crate::engine::Sequence;

    const TTFT: Duration = Duration::from_millis(40);
    const ITL: Duration = Duration::from_millis(10);

    fn times_ms(spread: Spread, output_tokens: u32) -> Vec<f64> {
        let mut engine = Paced::new(TTFT, ITL, spread);
        let start = Duration::from_secs(1);
        engine.submit(start, Sequence { id: 3, prompt_tokens: 5, output_tokens });
        let emissions = engine.advance(Duration::from_secs(100_000));
        assert!(emissions.last().unwrap().last && engine.next_event().is_none());
        emissions.iter().map(|emission| emission.at.saturating_sub(start).as_secs_f64() * 1e3).collect()
    }

    #[test]
    fn fixed_times_are_exact() {
        assert_eq!(times_ms(Spread::Fixed, 4), [40.0, 50.0, 60.0, 70.0]);
    }

    #[test]
    fn lognormal_gaps_have_their_median_and_spread() {
        let spread = Spread::Lognormal { sigma: 0.5, seed: 1 };
        let times = times_ms(spread, 20_001);
        let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        let quantile = |share: f64| gaps[(share * gaps.len() as f64) as usize];
        assert!((quantile(0.5) / 10.0 - 1.0).abs() < 0.03);
        // One standard deviation of the logarithm lies at the 84th percentile.
        assert!((quantile(0.8413) / (10.0 * 0.5_f64.exp()) - 1.0).abs() < 0.05);
        assert_eq!(times, times_ms(spread, 20_001));
        assert_ne!(times, times_ms(Spread::Lognormal { sigma: 0.5, seed: 2 }, 20_001));
    }

    #[test]
    fn an_aborted_sequence_says_nothing_more() {
        let mut engine = Paced::new(TTFT, ITL, Spread::Fixed);
        let sequence = |id| Sequence { id, prompt_tokens: 1, output_tokens: 3 };
        engine.submit(Duration::ZERO, sequence(1));
        engine.submit(Duration::ZERO, sequence(2));
        engine.advance(TTFT);
        engine.abort(1);
        assert_eq!(engine.gauges().running, 1);
        let rest = engine.advance(Duration::from_secs(1));
        assert_eq!(rest.iter().map(|emission| emission.id).collect::<Vec<_>>(), [2, 2]);
    }
}
