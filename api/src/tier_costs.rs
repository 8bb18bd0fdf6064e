//! What a speed costs in every tier: a tier without an offer says why there is no cost. Programs get them all, pages show
//! those that have a price.

use accelbench_core::cost::{Costs, DiscountFactor, OutputWeight, Throughput};
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{DEFAULT_REGION, HourlyPrice, PricingTier};
use accelbench_store::PgConnection;
use accelbench_store::prices::{self, KnownPrice};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CostParameters {
    region: Option<String>,
    discount: Option<DiscountFactor>,
    output_weight: Option<OutputWeight>,
}

/// The costs in one tier, and the price that they come from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TierCosts {
    region: String,
    #[serde(flatten)]
    tier: PricingTier,
    /// What is paid, after the discount.
    price: Observed<HourlyPrice>,
    #[serde(flatten)]
    offer: Option<Offer>,
    costs: Costs,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Offer {
    currency: String,
    as_of: DateTime<Utc>,
    confirmed_at: DateTime<Utc>,
    source: String,
}

impl TierCosts {
    /// The tier.
    pub(crate) fn tier(&self) -> PricingTier {
        self.tier
    }

    /// The costs.
    pub(crate) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// The currency; nothing without an offer.
    pub(crate) fn currency(&self) -> &str {
        self.offer.as_ref().map_or("", |offer| &offer.currency)
    }
}

impl CostParameters {
    /// List prices in a region.
    pub(crate) fn of_region(region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..Self::default() }
    }
}

/// The costs in the tiers of which a price is known.
pub(crate) async fn of_known_tiers(
    connection: &mut PgConnection,
    instance_type: &InstanceTypeName,
    throughput: &Throughput,
    parameters: &CostParameters,
) -> Result<Vec<TierCosts>, ApiError> {
    let mut tiers = of_every_tier(connection, instance_type, throughput, parameters).await?;
    tiers.retain(|tier| tier.offer.is_some());
    Ok(tiers)
}

pub(crate) async fn of_every_tier(
    connection: &mut PgConnection,
    instance_type: &InstanceTypeName,
    throughput: &Throughput,
    parameters: &CostParameters,
) -> Result<Vec<TierCosts>, ApiError> {
    let region = parameters.region.as_deref().unwrap_or(DEFAULT_REGION);
    let tiers = prices::every_tier(connection, instance_type, region).await?;
    let costs = |(tier, known): (PricingTier, Option<KnownPrice>)| {
        let price = known.as_ref().map_or_else(
            || Observed::absent(prices::unknown(instance_type, region, tier)),
            |known| known.price.price.clone(),
        );
        let price = price.map(|hourly| parameters.discount.unwrap_or_default().apply(hourly));
        let weight = parameters.output_weight.unwrap_or_default();
        TierCosts {
            region: region.to_owned(),
            tier,
            costs: Costs::of(&price, throughput, weight),
            price,
            offer: known.map(Offer::from),
        }
    };
    Ok(tiers.into_iter().map(costs).collect())
}

impl From<KnownPrice> for Offer {
    fn from(KnownPrice { price, confirmed_at }: KnownPrice) -> Self {
        Self { currency: price.currency, as_of: price.as_of, confirmed_at, source: price.source }
    }
}
