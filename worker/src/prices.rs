//! Live prices from AWS. Each source is a service of its own, with its own permission, and fails by itself.

use std::collections::BTreeSet;

use accelbench_core::instance::InstanceTypeName;
use accelbench_core::price::Price;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub mod offers;
pub mod price_list;
pub mod savings_plans;
pub mod spot;

/// Something that tells prices.
#[async_trait]
pub trait PriceSource: Send + Sync {
    /// What its prices name as their source.
    fn name(&self) -> &'static str;

    /// The right that asking it takes.
    fn permission(&self) -> &'static str;

    /// The prices of `instance_types` in a region.
    ///
    /// # Errors
    /// When the service does not answer, or answers without any offer.
    async fn prices(
        &self,
        region: &str,
        instance_types: &BTreeSet<InstanceTypeName>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<Price>>;
}

/// AWS bills in yuan in China and in dollars elsewhere.
fn currency_of(region: &str) -> &'static str {
    if region.starts_with("cn-") { "CNY" } else { "USD" }
}
