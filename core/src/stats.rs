//! Percentiles and means, defined once. Percentiles are exact: the smallest sample that at least the given share of
//! all samples does not exceed (nearest rank), so that a reported p99 is a latency that really happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod difference;
mod estimate;

pub use difference::{Difference, Verdict};
pub use estimate::{BATCHES, Batch, Estimate};

/// Summary of a set of samples, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Number of samples.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Smallest sample.
    pub min: f64,
    /// 50th percentile.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest sample.
    pub max: f64,
}

impl Summary {
    /// Summarises finite samples, which are sorted in place; `None` when there is none.
    #[must_use]
    pub fn of(samples: &mut [f64]) -> Option<Self> {
        let (&min, &max) = {
            samples.sort_unstable_by(f64::total_cmp);
            (samples.first()?, samples.last()?)
        };
        Some(Self {
            count: samples.len() as u64,
            mean: samples.iter().sum::<f64>() / samples.len() as f64,
            min,
            p50: nearest_rank(samples, 50),
            p90: nearest_rank(samples, 90),
            p95: nearest_rank(samples, 95),
            p99: nearest_rank(samples, 99),
            max,
        })
    }

    /// Whether the percentiles are in order and every number is finite and not negative, as any latency's are.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        let ordered = [self.min, self.p50, self.p90, self.p95, self.p99, self.max];
        // The mean of equal samples may differ from them in the last bits.
        let slack = self.max.abs() * 1e-9;
        self.count > 0
            && self.mean.is_finite()
            && self.min >= 0.0
            && self.max.is_finite()
            && ordered.is_sorted()
            && (self.min - slack..=self.max + slack).contains(&self.mean)
    }
}

/// The nearest-rank percentile of sorted, non-empty samples.
fn nearest_rank(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn percentiles_are_samples_by_nearest_rank() {
        let mut samples: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let summary = Summary::of(&mut samples).unwrap();
        assert_eq!((summary.p50, summary.p90, summary.p95, summary.p99), (50.0, 90.0, 95.0, 99.0));
        assert_eq!((summary.min, summary.max, summary.count), (1.0, 100.0, 100));
        assert!((summary.mean - 50.5).abs() < 1e-12);
    }

    #[test]
    fn few_samples_do_not_break_it() {
        assert_eq!(Summary::of(&mut []), None);
        let one = Summary::of(&mut [7.0]).unwrap();
        assert_eq!((one.p50, one.p99), (7.0, 7.0));
        let two = Summary::of(&mut [2.0, 1.0]).unwrap();
        assert_eq!((two.p50, two.p90), (1.0, 2.0));
    }

    #[test]
    fn forged_summaries_are_noticed() {
        let good = Summary::of(&mut [1.0, 2.0, 3.0]).unwrap();
        assert!(good.is_sane());
        for bad in [
            Summary { p90: 0.5, ..good },
            Summary { min: -1.0, ..good },
            Summary { mean: f64::NAN, ..good },
            Summary { max: f64::INFINITY, ..good },
            Summary { count: 0, ..good },
            Summary { mean: 99.0, ..good },
        ] {
            assert!(!bad.is_sane(), "{bad:?}");
        }
    }
}
