//! Which prices an answer uses: region, tier and payment option as they stand in an address, and the prices behind them.

use accelbench_core::cost::DiscountFactor;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{DEFAULT_REGION, HourlyPrice, Payment, PricingTier};
use accelbench_store::PgConnection;
use accelbench_store::prices::{self, PriceList as KnownPrices};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// The words of an address.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct PriceParts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<Payment>,
}

/// What is paid, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pricing {
    pub(crate) region: String,
    pub(crate) tier: PricingTier,
    pub(crate) discount: Option<DiscountFactor>,
}

/// The prices of one region and tier.
pub(crate) struct PriceList {
    pub(crate) pricing: Pricing,
    known: KnownPrices,
}

impl PriceParts {
    /// The pricing that the words name. A commitment without a payment option is paid by the hour, because that is what
    /// an hourly price is compared with.
    pub(crate) fn pricing(&self) -> Result<Pricing, ApiError> {
        let word = self.tier.as_deref().unwrap_or("on_demand");
        let payment = PricingTier::is_commitment(word).then(|| self.payment.unwrap_or(Payment::NoUpfront));
        let tier = PricingTier::from_words(word, payment)
            .map_err(|error| ApiError::unprocessable(error.to_string()))?;
        let region = self.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
        Ok(Pricing { region, tier, discount: None })
    }
}

impl Pricing {
    /// The prices that are known now.
    pub(crate) async fn load(self, connection: &mut PgConnection) -> Result<PriceList, ApiError> {
        let known = prices::list_at(connection, &self.region, self.tier, Utc::now()).await?;
        Ok(PriceList { pricing: self, known })
    }

    /// The tier in words, with its payment option.
    pub(crate) fn words(&self) -> String {
        let tier = tier_words(self.tier.as_str());
        match self.tier.payment() {
            Some(payment) => format!("{tier}, {}", payment.as_str().replace('_', " ")),
            None => tier.to_owned(),
        }
    }
}

impl PriceList {
    /// What an hour of the instance type costs, or why that is not known.
    pub(crate) fn of(&self, instance_type: &InstanceTypeName) -> Observed<HourlyPrice> {
        self.known.hourly(instance_type, self.pricing.discount.unwrap_or_default())
    }

    /// The currency of the region.
    pub(crate) fn currency(&self) -> &str {
        self.known.iter().next().map_or("USD", |known| known.price.currency.as_str())
    }
}

/// A tier as people call it.
pub(crate) fn tier_words(tier: &str) -> &'static str {
    match tier {
        "reserved_1_year" => "1 year reserved",
        "reserved_3_year" => "3 years reserved",
        "savings_plan_1_year" => "1 year savings plan",
        "savings_plan_3_year" => "3 years savings plan",
        "spot" => "spot",
        "capacity_block" => "capacity block",
        _ => "on-demand",
    }
}

#[cfg(test)]
mod tests {
    use accelbench_core::price::{Payment, PricingTier, Term};

    use super::PriceParts;

    fn parts(tier: Option<&str>, payment: Option<Payment>) -> PriceParts {
        PriceParts { region: None, tier: tier.map(str::to_owned), payment }
    }

    #[test]
    fn what_is_left_out_is_on_demand_and_by_the_hour() {
        for (tier, payment, expected, words) in [
            (None, None, PricingTier::OnDemand, "on-demand"),
            // A form sends its payment option with every tier.
            (Some("on_demand"), Some(Payment::AllUpfront), PricingTier::OnDemand, "on-demand"),
            (
                Some("reserved_1_year"),
                None,
                PricingTier::Reserved(Term::OneYear, Payment::NoUpfront),
                "1 year reserved, no upfront",
            ),
        ] {
            let pricing = parts(tier, payment).pricing().unwrap();
            assert_eq!((pricing.tier, pricing.words().as_str()), (expected, words));
        }
        assert!(parts(Some("cheap"), None).pricing().unwrap_err().detail.contains("cheap"));
    }
}
