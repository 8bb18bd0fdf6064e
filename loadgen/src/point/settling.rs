//! Whether the warm-up is over: whether the latencies have settled. The rule is MSER (White 1997), the usual one of
//! discrete-event simulation: of all cuts through the series so far it finds the one after which the mean is known best.
//! While that cut lies in the second half, the beginning still differs from the end and the system is not settled.

/// Answers before which nothing is concluded.
const LEAST_ANSWERS: usize = 10;

/// From this many answers on, the series is one of means of [`BATCH`] answers: single ones say little.
const BATCH_FROM: usize = 100;
const BATCH: usize = 5;

/// The cut that leaves fewer values than this is no cut: few values are alike by chance.
const LEAST_TAIL: usize = 5;

/// The latencies of the warm-up in the order in which the answers ended.
#[derive(Debug, Default)]
pub(super) struct Settling {
    values: Vec<f64>,
    looked_at: usize,
    settled: bool,
}

impl Settling {
    #[cfg(test)]
    pub(super) fn settled() -> Self {
        Self { settled: true, ..Self::default() }
    }

    /// Takes the end-to-end latency of an answer, in seconds.
    pub(super) fn add(&mut self, latency_s: f64) {
        self.values.push(latency_s);
    }

    /// Whether the latencies have settled. Looks anew when a twentieth more is known.
    pub(super) fn is_settled(&mut self) -> bool {
        let count = self.values.len();
        if !self.settled && count >= LEAST_ANSWERS && count >= self.looked_at + (self.looked_at / 20).max(1) {
            self.looked_at = count;
            self.settled = if count < BATCH_FROM {
                best_cut(&self.values) < count / 2
            } else {
                let means: Vec<f64> = self
                    .values
                    .chunks_exact(BATCH)
                    .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
                    .collect();
                best_cut(&means) < means.len() / 2
            };
        }
        self.settled
    }
}

/// The number of leading values without which the standard error of the mean is smallest.
fn best_cut(values: &[f64]) -> usize {
    let (mut best, mut best_cut) = (f64::INFINITY, 0);
    let (mut sum, mut squares) = (0.0, 0.0);
    // From the end to the beginning, so that each cut costs one step. Values are taken relative to the last one: sums of
    // squares of large, nearly equal numbers lose their digits.
    let origin = values.last().copied().unwrap_or_default();
    for (cut, value) in values.iter().enumerate().rev() {
        let value = value - origin;
        sum += value;
        squares += value * value;
        let count = (values.len() - cut) as f64;
        let error = ((squares - sum * sum / count) / (count * count)).max(0.0);
        if values.len() - cut >= LEAST_TAIL && error <= best {
            (best, best_cut) = (error, cut);
        }
    }
    best_cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use rand_distr::{Distribution as _, Normal};

    use super::{Settling, best_cut};

    fn settled_after(values: impl IntoIterator<Item = f64>) -> Option<usize> {
        let mut settling = Settling::default();
        values.into_iter().position(|value| {
            settling.add(value);
            settling.is_settled()
        })
    }

    fn noise(seed: u64) -> impl Iterator<Item = f64> {
        let (mut random, normal) = (StdRng::seed_from_u64(seed), Normal::new(0.0, 0.05).unwrap());
        std::iter::repeat_with(move || normal.sample(&mut random))
    }

    #[test]
    fn equal_latencies_are_settled_at_once() {
        assert_eq!(settled_after(std::iter::repeat_n(1.3, 100)), Some(9));
    }

    #[test]
    fn a_slow_beginning_is_waited_for_a_few_times_its_length() {
        for seed in 0..50 {
            // Caches and compilation: the first 40 answers get faster and faster.
            let values = noise(seed)
                .enumerate()
                .map(|(index, noise)| 1.0 + 4.0 * (-(index as f64) / 15.0).exp() + noise);
            let after = settled_after(values.take(1000)).unwrap();
            assert!((40..400).contains(&after), "seed {seed}: {after}");
        }
    }

    #[test]
    fn latencies_that_grow_never_settle() {
        for seed in 0..20 {
            let growing = noise(seed).enumerate().map(|(index, noise)| 1.0 + 0.2 * index as f64 + noise);
            assert_eq!(settled_after(growing.take(2000)), None, "seed {seed}");
        }
    }

    proptest! {
        #[test]
        fn the_cut_is_that_of_the_plain_definition(values in proptest::collection::vec(0.0_f64..10.0, 5..60)) {
            let error = |cut: usize| {
                let tail = &values[cut..];
                let mean = tail.iter().sum::<f64>() / tail.len() as f64;
                tail.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (tail.len() as f64).powi(2)
            };
            let least = (0..=values.len() - 5).map(error).fold(f64::INFINITY, f64::min);
            prop_assert!(error(best_cut(&values)) <= least * (1.0 + 1e-9) + 1e-12);
        }
    }
}
