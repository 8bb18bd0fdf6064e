//! How latencies are distributed, small enough to be kept with each report: HdrHistograms, which can be drawn and added
//! up without the samples.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Digits to which each value is kept: 0.1 %.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Microseconds in a millisecond.
const US_PER_MS: f64 = 1000.0;

/// The longest latency that is told apart, in microseconds: a day. It also bounds what a forged histogram may allocate.
const MOST_US: u64 = 86_400_000_000;

/// Distributions of the latencies of a load point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Distributions {
    /// Times to first token.
    pub ttft: Distribution,
    /// Gaps between successive tokens.
    pub itl: Distribution,
    /// Times per output token.
    pub tpot: Distribution,
    /// End-to-end latencies.
    pub e2e: Distribution,
}

/// An HdrHistogram of microseconds with three significant digits, in its V2 deflate encoding as base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Distribution(String);

/// A text that holds no histogram of latencies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no base64 of an HdrHistogram in V2 deflate encoding")]
pub struct InvalidDistribution;

impl Distribution {
    /// Counts latencies, given in milliseconds.
    #[must_use]
    pub fn of_ms(samples: &[f64]) -> Self {
        let mut histogram = empty();
        for sample in samples {
            // Microseconds beyond the bounds count at the bound.
            histogram.saturating_record(((sample * US_PER_MS).round() as u64).max(1));
        }
        Self::of(&histogram)
    }

    /// The histogram, in microseconds.
    ///
    /// # Errors
    /// [`InvalidDistribution`].
    pub fn histogram(&self) -> Result<Histogram<u64>, InvalidDistribution> {
        let bytes = STANDARD.decode(&self.0).map_err(|_no_base64| InvalidDistribution)?;
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|_malformed| InvalidDistribution)?;
        // What was read chose its own bounds; ours take its counts.
        let mut histogram = empty();
        histogram.add(read).map_err(|_out_of_bounds| InvalidDistribution)?;
        Ok(histogram)
    }

    /// Adds up the distributions of several load points.
    ///
    /// # Errors
    /// [`InvalidDistribution`] when one of them holds no histogram.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Result<Self, InvalidDistribution> {
        let mut sum = empty();
        for distribution in all {
            sum.add(distribution.histogram()?).map_err(|_out_of_bounds| InvalidDistribution)?;
        }
        Ok(Self::of(&sum))
    }

    fn of(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(histogram, &mut bytes).expect("a vector takes every byte");
        Self(STANDARD.encode(bytes))
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MOST_US, SIGNIFICANT_DIGITS).expect("the bounds are in order")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{Distribution, InvalidDistribution};
    use crate::stats::Summary;

    proptest! {
        #[test]
        fn percentiles_survive_to_a_tenth_of_a_percent(mut samples in proptest::collection::vec(0.01_f64..1e6, 1..300)) {
            let histogram = Distribution::of_ms(&samples).histogram().unwrap();
            let summary = Summary::of(&mut samples).unwrap();
            prop_assert_eq!(histogram.len(), summary.count);
            for (percent, exact_ms) in [(50.0, summary.p50), (99.0, summary.p99), (100.0, summary.max)] {
                let kept_ms = histogram.value_at_percentile(percent) as f64 / 1000.0;
                prop_assert!((kept_ms - exact_ms).abs() <= 0.001 * exact_ms + 0.0015, "{} {}", kept_ms, exact_ms);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Distribution(text).histogram();
            let _ = Distribution(STANDARD.encode(bytes)).histogram();
        }
    }

    #[test]
    fn distributions_add_up_and_are_small() {
        let (first, second) = (Distribution::of_ms(&[1.0; 10]), Distribution::of_ms(&[3.0; 30]));
        let sum = Distribution::sum([&first, &second]).unwrap().histogram().unwrap();
        assert_eq!((sum.len(), sum.value_at_percentile(25.0), sum.max()), (40, 1000, 3001));
        let spread: Vec<f64> = (1..100_000).map(|index| f64::from(index) * 0.01).collect();
        assert!(Distribution::of_ms(&spread).0.len() < 16 * 1024);
    }

    #[test]
    fn extremes_are_kept_at_the_bounds() {
        let histogram = Distribution::of_ms(&[0.0, 1e12]).histogram().unwrap();
        assert_eq!((histogram.len(), histogram.min()), (2, 1));
        assert_eq!(Distribution("!".to_owned()).histogram().unwrap_err(), InvalidDistribution);
    }
}
