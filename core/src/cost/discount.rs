//! The user's own terms: a factor on every list price.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::price::HourlyPrice;

/// The share of the list price that is paid: 0.8 after 20 % off, 1 without a discount.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
pub struct DiscountFactor(f64);

/// Why a number is no discount factor.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is no discount factor; give the share of the list price that you pay, above 0 and at most 1, for instance 0.8 for 20 % off"
)]
pub struct InvalidDiscountFactor(String);

impl DiscountFactor {
    /// The list price itself.
    pub const NONE: Self = Self(1.0);

    /// Takes the share of the list price that is paid. Nothing at all is refused: it would rank all machines equal.
    ///
    /// # Errors
    /// [`InvalidDiscountFactor`] unless it is above 0 and at most 1.
    pub fn new(share_paid: f64) -> Result<Self, InvalidDiscountFactor> {
        if share_paid > 0.0 && share_paid <= 1.0 {
            Ok(Self(share_paid))
        } else {
            Err(InvalidDiscountFactor(share_paid.to_string()))
        }
    }

    /// The share of the list price that is paid.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The price after the discount.
    #[must_use]
    pub fn apply(self, price: HourlyPrice) -> HourlyPrice {
        HourlyPrice { per_hour: price.per_hour * self.0, upfront: price.upfront * self.0 }
    }
}

impl Default for DiscountFactor {
    fn default() -> Self {
        Self::NONE
    }
}

impl FromStr for DiscountFactor {
    type Err = InvalidDiscountFactor;

    fn from_str(text: &str) -> Result<Self, InvalidDiscountFactor> {
        text.parse()
            .ok()
            .and_then(|share| Self::new(share).ok())
            .ok_or_else(|| InvalidDiscountFactor(text.to_owned()))
    }
}

impl TryFrom<f64> for DiscountFactor {
    type Error = InvalidDiscountFactor;

    fn try_from(share_paid: f64) -> Result<Self, InvalidDiscountFactor> {
        Self::new(share_paid)
    }
}

impl From<DiscountFactor> for f64 {
    fn from(factor: DiscountFactor) -> Self {
        factor.0
    }
}

#[cfg(test)]
mod tests {
    use super::DiscountFactor;
    use crate::price::HourlyPrice;

    #[test]
    fn hour_and_upfront_fee_shrink_alike() {
        let paid = DiscountFactor::new(0.75).unwrap().apply(HourlyPrice { per_hour: 2.0, upfront: 8000.0 });
        assert_eq!(paid, HourlyPrice { per_hour: 1.5, upfront: 6000.0 });
        assert_eq!(DiscountFactor::default().apply(paid), paid);
    }

    #[test]
    fn a_factor_is_above_nothing_and_at_most_the_price() {
        for good in ["0.8", "1", "0.001"] {
            assert!(good.parse::<DiscountFactor>().is_ok(), "{good}");
        }
        for bad in ["0", "-0.1", "1.01", "20", "NaN", "inf", "20%", ""] {
            let refusal = bad.parse::<DiscountFactor>().unwrap_err().to_string();
            assert!(refusal.starts_with(&format!("`{bad}`")) && refusal.contains("0.8"), "{refusal}");
        }
        assert_eq!(serde_json::from_str::<DiscountFactor>("0.5").unwrap(), DiscountFactor::new(0.5).unwrap());
        assert!(serde_json::from_str::<DiscountFactor>("1.5").is_err());
    }
}
