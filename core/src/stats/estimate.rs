//! How sure a number is. Requests that follow one another are alike (they waited in the same queue), so that the usual
//! standard error is too small. Here it comes from batch means: the sequence is cut into [`BATCHES`] batches, whose
//! means are nearly independent; what dependence is left is taken into account as that of a first-order autoregression.
//! Percentiles use the same method on the share of samples below them, and the interval of that share is carried back
//! through the samples. The tests say how often such intervals cover the truth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Batches of a sequence: more would be alike, fewer would make the intervals wider (three windows: by two thirds).
pub const BATCHES: usize = 20;

/// A percentile has an interval when at least this many samples are expected on either side of it.
const LEAST_BEYOND: f64 = 10.0;

/// Batches that are more alike than this are treated as if they were this much alike: nothing is left to say then.
const MOST_AUTOCORRELATION: f64 = 0.8;

const TWO_SIDED_95: f64 = 0.975;

/// A number with its uncertainty, in the unit of the number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The number itself, as the summary gives it.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub degrees_of_freedom: f64,
    /// Lower end of the 95 % confidence interval.
    pub low: f64,
    /// Upper end of the 95 % confidence interval.
    pub high: f64,
}

/// What one batch adds to a ratio: the mean of the requests of a batch is their sum over their number, its throughput
/// its tokens over its seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Batch {
    /// Sum of what is counted.
    pub sum: f64,
    /// What it is divided by.
    pub weight: f64,
}

impl Estimate {
    /// Estimates the ratio of all sums to all weights from batches in the order of time. `None` for fewer than two
    /// batches, or when the numbers have no ratio.
    #[must_use]
    pub fn of_ratio(batches: &[Batch]) -> Option<Self> {
        let count = batches.len() as f64;
        let (sum, weight) =
            batches.iter().fold((0.0, 0.0), |(sum, weight), batch| (sum + batch.sum, weight + batch.weight));
        if batches.len() < 2 || weight <= 0.0 {
            return None;
        }
        let value = sum / weight;
        let residuals: Vec<f64> =
            batches.iter().map(|batch| (batch.sum - value * batch.weight) * count / weight).collect();
        let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
        let products: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let lag_1 = if squares > 0.0 { products / squares } else { 0.0 };
        // An autocorrelation found in few batches is too small on average by about (1 + 3 r) / n.
        let alike = (lag_1 + (1.0 + 3.0 * lag_1) / count).clamp(0.0, MOST_AUTOCORRELATION);
        let variance = squares / (count - 1.0) / count * (1.0 + alike) / (1.0 - alike);
        Self::with_standard_error(value, variance.sqrt(), count - 1.0)
    }

    /// Estimates the mean of `samples`, given in the order of time; `None` for fewer than [`BATCHES`].
    #[must_use]
    pub fn of_mean(samples: &[f64]) -> Option<Self> {
        Self::of_grouped_mean(samples, |&sample| Some(sample))
    }

    /// Estimates the mean of samples that come in groups, as the token gaps of a request do: `samples` gives those of a
    /// group.
    #[must_use]
    pub fn of_grouped_mean<G, S: IntoIterator<Item = f64>>(
        groups: &[G],
        samples: impl Fn(&G) -> S,
    ) -> Option<Self> {
        Self::over_groups(groups, samples, |sample| sample)
    }

    /// Estimates the nearest-rank percentile of `samples`, given in the order of time; `None` when they are too few, or
    /// too much alike, for it.
    #[must_use]
    pub fn of_percentile(samples: &[f64], percent: u8) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self::of_grouped_percentile(samples, |&sample| Some(sample), &sorted, percent)
    }

    /// Estimates the nearest-rank percentile of samples that come in groups, as the token gaps of a request do:
    /// `samples` gives those of a group, `sorted` holds all of them in order of size.
    #[must_use]
    pub fn of_grouped_percentile<G, S: IntoIterator<Item = f64>>(
        groups: &[G],
        samples: impl Fn(&G) -> S,
        sorted: &[f64],
        percent: u8,
    ) -> Option<Self> {
        let share = f64::from(percent) / 100.0;
        let beyond = groups.len() as f64 * share.min(1.0 - share);
        // Floating point makes 0.01 * 1000 a little less than ten.
        if beyond < LEAST_BEYOND - 1e-9 {
            return None;
        }
        let value = at_share(sorted, share)?;
        let found = Self::over_groups(groups, samples, |sample| if sample <= value { 1.0 } else { 0.0 })?;
        let half = found.half_width();
        let (from, to) = (share - half, share + half);
        if from <= 0.0 || to >= 1.0 {
            return None;
        }
        let (low, high) = (at_share(sorted, from)?, at_share(sorted, to)?);
        let standard_error = found.standard_error * (high - low) / (2.0 * half).max(f64::MIN_POSITIVE);
        Some(Self { value, standard_error, low: low.min(value), high: high.max(value), ..found })
    }

    /// Estimates the mean of `of` over all samples.
    fn over_groups<G, S: IntoIterator<Item = f64>>(
        groups: &[G],
        samples: impl Fn(&G) -> S,
        of: impl Fn(f64) -> f64,
    ) -> Option<Self> {
        if groups.len() < BATCHES {
            return None;
        }
        let batches = batches(groups.len()).map(|range| {
            let all = groups[range].iter().flat_map(&samples);
            all.fold(Batch::default(), |batch, sample| Batch {
                sum: batch.sum + of(sample),
                weight: batch.weight + 1.0,
            })
        });
        Self::of_ratio(&batches.collect::<Vec<_>>())
    }

    /// Half the width of the interval, where it lies evenly around the value.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The same uncertainty about another value: that of a definition whose chance is the same but for the edges.
    #[must_use]
    pub fn moved_to(self, value: f64) -> Self {
        let by = value - self.value;
        Self { value, low: self.low + by, high: self.high + by, ..self }
    }

    /// Whether the interval is in order around the value and every number is finite.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        self.standard_error.is_finite()
            && self.standard_error >= 0.0
            && self.degrees_of_freedom.is_finite()
            && self.degrees_of_freedom > 0.0
            && self.low.is_finite()
            && self.high.is_finite()
            && self.low <= self.value
            && self.value <= self.high
    }

    fn with_standard_error(value: f64, standard_error: f64, degrees_of_freedom: f64) -> Option<Self> {
        let half = student_t(degrees_of_freedom)? * standard_error;
        let estimate =
            Self { value, standard_error, degrees_of_freedom, low: value - half, high: value + half };
        estimate.is_sane().then_some(estimate)
    }
}

/// How many standard errors a two-sided 95 % interval reaches to either side.
pub(super) fn student_t(degrees_of_freedom: f64) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?.inverse_cdf(TWO_SIDED_95))
}

/// Cuts `count` samples into [`BATCHES`] runs whose lengths differ by one at most.
fn batches(count: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..BATCHES).map(move |batch| count * batch / BATCHES..count * (batch + 1) / BATCHES)
}

/// The smallest sample that at least `share` of all samples do not exceed.
fn at_share(sorted: &[f64], share: f64) -> Option<f64> {
    // The rank is that of exact arithmetic where the product is a whole number.
    let rank = (sorted.len() as f64 * share - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests;
