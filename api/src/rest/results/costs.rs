//! What a result costs in every tier: a tier without an offer says why there is no cost.

use accelbench_core::cost::{Costs, DiscountFactor, OutputWeight, Throughput};
use accelbench_core::observed::Observed;
use accelbench_core::price::{DEFAULT_REGION, HourlyPrice, PricingTier};
use accelbench_core::result::BenchmarkResult;
use accelbench_store::PgConnection;
use accelbench_store::prices::{self, KnownPrice};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CostParameters {
    region: Option<String>,
    discount: Option<DiscountFactor>,
    output_weight: Option<OutputWeight>,
}

/// The costs in one tier, and the price that they come from.
#[derive(Debug, Serialize)]
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

#[derive(Debug, Serialize)]
struct Offer {
    currency: String,
    as_of: DateTime<Utc>,
    confirmed_at: DateTime<Utc>,
    source: String,
}

pub(super) async fn of_every_tier(
    connection: &mut PgConnection,
    result: &BenchmarkResult,
    parameters: &CostParameters,
) -> Result<Vec<TierCosts>, ApiError> {
    let region = parameters.region.as_deref().unwrap_or(DEFAULT_REGION);
    let instance_type = &result.provenance.instance_type;
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
            costs: Costs::of(&price, &Throughput::of(&result.report), weight),
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
