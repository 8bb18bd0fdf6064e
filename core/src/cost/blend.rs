//! The hour of a machine split between input and output tokens. Charging the whole hour to both, as the two single
//! formulas do, counts it twice.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MILLION, Throughput, per_unit};
use crate::observed::Observed;
use crate::price::HourlyPrice;

/// How many input tokens one output token weighs when the hour is split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
pub struct OutputWeight(f64);

/// Why a number is no weight.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("an output token cannot weigh `{0}` input tokens; give a number from 0.01 to 1000, for instance 4")]
pub struct InvalidOutputWeight(String);

/// What a million tokens cost when input and output share the hour.
///
/// The rule: one output token weighs `output_weight` input tokens, and every second's price is spread over the weighed
/// tokens of that second. So `input tokens per second x input cost + output tokens per second x output cost` is exactly
/// the price of a second, and the output cost is `output_weight` times the input cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlendedCost {
    /// What a million input tokens cost.
    pub per_million_input_tokens: f64,
    /// What a million output tokens cost.
    pub per_million_output_tokens: f64,
    /// What a million tokens of either kind cost, in the mix that was measured.
    pub per_million_tokens: f64,
    /// The weight that the hour was split by.
    pub output_weight: OutputWeight,
}

impl OutputWeight {
    /// Takes a weight.
    ///
    /// # Errors
    /// [`InvalidOutputWeight`] outside of 0.01 to 1000.
    pub fn new(input_tokens: f64) -> Result<Self, InvalidOutputWeight> {
        if (0.01..=1000.0).contains(&input_tokens) {
            Ok(Self(input_tokens))
        } else {
            Err(InvalidOutputWeight(input_tokens.to_string()))
        }
    }

    /// How many input tokens one output token weighs.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for OutputWeight {
    /// Four: about what sellers of tokens charge for output over input.
    fn default() -> Self {
        Self(4.0)
    }
}

impl FromStr for OutputWeight {
    type Err = InvalidOutputWeight;

    fn from_str(text: &str) -> Result<Self, InvalidOutputWeight> {
        text.parse()
            .ok()
            .and_then(|weight| Self::new(weight).ok())
            .ok_or_else(|| InvalidOutputWeight(text.to_owned()))
    }
}

impl TryFrom<f64> for OutputWeight {
    type Error = InvalidOutputWeight;

    fn try_from(input_tokens: f64) -> Result<Self, InvalidOutputWeight> {
        Self::new(input_tokens)
    }
}

impl From<OutputWeight> for f64 {
    fn from(weight: OutputWeight) -> Self {
        weight.0
    }
}

impl BlendedCost {
    /// Splits the hour; absent without a price or without output.
    #[must_use]
    pub fn of(
        price: &Observed<HourlyPrice>,
        throughput: &Throughput,
        weight: OutputWeight,
    ) -> Observed<Self> {
        let Throughput { input_tokens_per_s, output_tokens_per_s, .. } = *throughput;
        let measured = |per_s: f64| per_s.is_finite() && per_s > 0.0;
        if !measured(input_tokens_per_s) || !measured(output_tokens_per_s) {
            return Observed::absent("input and output tokens per second were not both measured");
        }
        let tokens_per_s = input_tokens_per_s + output_tokens_per_s;
        let weighed_per_s = input_tokens_per_s + weight.0 * output_tokens_per_s;
        // Of the mix every token weighs the same, so that the weight does not matter here.
        let any = per_unit(price, tokens_per_s, "tokens");
        match (per_unit(price, weighed_per_s, "tokens"), any) {
            (Observed::Value(each), Observed::Value(any)) => Observed::Value(Self {
                per_million_input_tokens: each * MILLION,
                per_million_output_tokens: each * MILLION * weight.0,
                per_million_tokens: any * MILLION,
                output_weight: weight,
            }),
            (Observed::Absent(reason), _) | (_, Observed::Absent(reason)) => Observed::Absent(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{BlendedCost, OutputWeight};
    use crate::cost::Throughput;
    use crate::cost::tests::price;

    fn blended(per_hour: f64, input: f64, output: f64, weight: f64) -> Option<BlendedCost> {
        let throughput =
            Throughput { input_tokens_per_s: input, output_tokens_per_s: output, requests_per_s: 1.0 };
        BlendedCost::of(&price(per_hour), &throughput, OutputWeight::new(weight).unwrap()).value().copied()
    }

    #[test]
    fn the_hour_is_split_by_the_weight() {
        // 36 an hour are 0.01 a second, for 4,000 + 4 x 1,000 weighed tokens: 1.25 and 5 a million; 0.01 for the 5,000
        // tokens together are 2 a million.
        let cost = blended(36.0, 4000.0, 1000.0, 4.0).unwrap();
        let near = |value: f64, expected: f64| (value - expected).abs() < 1e-12;
        assert!(near(cost.per_million_input_tokens, 1.25), "{cost:?}");
        assert!(near(cost.per_million_output_tokens, 5.0), "{cost:?}");
        assert!(near(cost.per_million_tokens, 2.0), "{cost:?}");
    }

    #[test]
    fn without_one_side_there_is_nothing_to_split() {
        for (input, output) in [(0.0, 1.0), (1.0, 0.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert_eq!(blended(1.0, input, output, 4.0), None);
        }
    }

    #[test]
    fn weights_are_sensible_numbers() {
        assert_eq!("4".parse::<OutputWeight>().unwrap().get().to_string(), "4");
        for text in ["0", "-1", "NaN", "inf", "x", ""] {
            assert!(text.parse::<OutputWeight>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<OutputWeight>("0").is_err());
    }

    proptest! {
        #[test]
        fn the_parts_add_up_to_the_hour(
            per_hour in 0.01_f64..200.0, input in 0.1_f64..1e6, output in 0.1_f64..1e5, weight in 0.01_f64..1000.0
        ) {
            let cost = blended(per_hour, input, output, weight).unwrap();
            let per_s = (cost.per_million_input_tokens * input + cost.per_million_output_tokens * output) / 1e6;
            prop_assert!((per_s * 3600.0 / per_hour - 1.0).abs() < 1e-9);
        }
    }
}
