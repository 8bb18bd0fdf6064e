//! Which prices a question is about, the same words everywhere.

use accelbench_core::cost::{DiscountFactor, OutputWeight};
use accelbench_core::price::{DEFAULT_REGION, Payment, PricingTier};
use accelbench_store::catalog::Pricing;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ApiError;

/// The parameters; what is left out means on-demand list prices of today in the region that is shown by default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PricingParameters {
    pub(crate) region: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) payment: Option<Payment>,
    /// The share of the list price that is paid.
    pub(crate) discount: Option<DiscountFactor>,
    pub(crate) output_weight: Option<OutputWeight>,
    /// The prices of this moment.
    pub(crate) priced_at: Option<DateTime<Utc>>,
}

impl TryFrom<PricingParameters> for Pricing {
    type Error = ApiError;

    fn try_from(parameters: PricingParameters) -> Result<Self, ApiError> {
        let tier = parameters.tier.as_deref().unwrap_or(PricingTier::OnDemand.as_str());
        let tier = PricingTier::from_words(tier, parameters.payment)
            .map_err(|error| ApiError::bad_request(error.to_string()))?;
        Ok(Self {
            region: parameters.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            tier,
            discount: parameters.discount.unwrap_or_default(),
            output_weight: parameters.output_weight.unwrap_or_default(),
            priced_at: parameters.priced_at,
        })
    }
}
