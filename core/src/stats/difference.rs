//! Whether two numbers differ, or whether their difference is what chance makes of equal ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, student_t};

/// What can be said of `other` against `base`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The other one is lower.
    Lower,
    /// Nothing: equal ones would differ as much by chance in more than 5 of 100 comparisons.
    NoClearDifference,
    /// The other one is higher.
    Higher,
}

/// The difference of two estimates, by Welch's t-test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The other value less the base value, in their unit.
    pub value: f64,
    /// Lower end of its 95 % confidence interval.
    pub low: f64,
    /// Upper end of its 95 % confidence interval.
    pub high: f64,
    /// What can be said.
    pub verdict: Verdict,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::NoClearDifference => "no clear difference",
            Self::Higher => "higher",
        }
    }
}

impl Difference {
    /// Compares two independent estimates of the same metric.
    #[must_use]
    pub fn between(base: &Estimate, other: &Estimate) -> Self {
        let value = other.value - base.value;
        let (base_variance, other_variance) = (base.standard_error.powi(2), other.standard_error.powi(2));
        let variance = base_variance + other_variance;
        // Welch and Satterthwaite's degrees of freedom of the sum.
        let scale = base_variance.powi(2) / base.degrees_of_freedom
            + other_variance.powi(2) / other.degrees_of_freedom;
        let degrees = if scale > 0.0 { variance.powi(2) / scale } else { f64::MAX };
        let half = student_t(degrees.clamp(1.0, 1e6)).unwrap_or(f64::MAX) * variance.sqrt();
        let (low, high) = (value - half, value + half);
        let verdict = if low > 0.0 {
            Verdict::Higher
        } else if high < 0.0 {
            Verdict::Lower
        } else {
            Verdict::NoClearDifference
        };
        Self { value, low, high, verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, Verdict};
    use crate::stats::Estimate;

    fn estimate(value: f64, standard_error: f64) -> Estimate {
        Estimate { value, standard_error, degrees_of_freedom: 19.0, low: value, high: value }
    }

    #[test]
    fn a_difference_must_stand_out_from_chance() {
        let verdict = |base: (f64, f64), other: (f64, f64)| {
            Difference::between(&estimate(base.0, base.1), &estimate(other.0, other.1)).verdict
        };
        assert_eq!(verdict((100.0, 1.0), (102.0, 1.0)), Verdict::NoClearDifference);
        assert_eq!(verdict((100.0, 1.0), (110.0, 1.0)), Verdict::Higher);
        assert_eq!(verdict((110.0, 1.0), (100.0, 1.0)), Verdict::Lower);
        assert_eq!(verdict((100.0, 0.0), (100.0, 0.0)), Verdict::NoClearDifference);
        assert_eq!(verdict((100.0, 0.0), (100.1, 0.0)), Verdict::Higher);
    }

    #[test]
    fn the_interval_is_that_of_welch() {
        // Equal errors of 1 with 19 degrees each: 38 degrees together, t = 2.0244.
        let difference = Difference::between(&estimate(0.0, 1.0), &estimate(0.0, 1.0));
        assert!((difference.high - 2.0244 * 2.0_f64.sqrt()).abs() < 1e-3, "{difference:?}");
    }
}
