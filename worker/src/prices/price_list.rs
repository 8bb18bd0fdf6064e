//! On-demand and reserved prices from the AWS Price List. This is the only place that talks to AWS's pricing service, whose
//! answers are lists of JSON texts; [`offers`] reads one of them.

use std::collections::BTreeSet;

use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{Price, PricingTier};
use accelbench_store::error::chain;
use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_pricing::Client;
use aws_sdk_pricing::error::DisplayErrorContext;
use aws_sdk_pricing::types::{Filter, FilterType};
use chrono::{DateTime, Utc};

use super::{PriceSource, currency_of, offers};

/// What prices of this origin name as their source.
pub const SOURCE: &str = "AWS Price List (GetProducts)";

/// The pricing service answers in few regions only; it tells the prices of all.
const SERVICE_REGION: &str = "us-east-1";

/// The offers that count: Linux without software, on shared hardware, in use.
const FILTERS: [(&str, &str); 5] = [
    ("productFamily", "Compute Instance"),
    ("operatingSystem", "Linux"),
    ("tenancy", "Shared"),
    ("capacitystatus", "Used"),
    ("preInstalledSw", "NA"),
];

/// The AWS Price List.
#[derive(Debug, Clone)]
pub struct PriceList {
    client: Client,
}

impl PriceList {
    /// The price list as the credentials of this process reach it, at another address if one is given.
    pub async fn from_environment(endpoint: Option<&str>) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(SERVICE_REGION));
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        Self { client: Client::new(&loader.load().await) }
    }

    /// The price list behind a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Asks for one offer: whether the credentials are there and allow it.
    ///
    /// # Errors
    /// What the service, or the search for credentials, says.
    pub async fn reach(&self, region: &str) -> anyhow::Result<()> {
        let asked = self.client.get_products().service_code("AmazonEC2").set_filters(Some(filters(region)?));
        let answer = asked.max_results(1).send().await;
        let answer = answer.map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)))?;
        ensure!(!answer.price_list().is_empty(), "the price list has no compute instance in {region}");
        Ok(())
    }
}

#[async_trait]
impl PriceSource for PriceList {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn permission(&self) -> &'static str {
        "pricing:GetProducts"
    }

    /// An instance type that is not offered on demand there has an absent price; offers that cannot be read are told in the
    /// log and left out.
    async fn prices(
        &self,
        region: &str,
        instance_types: &BTreeSet<InstanceTypeName>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<Price>> {
        let (mut products, mut prices) = (0, Vec::new());
        let mut pages = self
            .client
            .get_products()
            .service_code("AmazonEC2")
            .set_filters(Some(filters(region)?))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)))?;
            for product in page.price_list() {
                products += 1;
                match offers::read(product, now) {
                    Ok(offers) => prices.extend(offers.into_iter().filter(|price| {
                        price.region == region && instance_types.contains(&price.instance_type)
                    })),
                    Err(error) => tracing::warn!(region, error = chain(&error), "an offer cannot be read"),
                }
            }
        }
        ensure!(products > 0, "the price list has no compute instance in {region}; is it a region of AWS?");
        prices.extend(absent(region, instance_types, &prices, now));
        Ok(prices)
    }
}

fn filters(region: &str) -> anyhow::Result<Vec<Filter>> {
    let all = FILTERS.into_iter().chain([("regionCode", region)]);
    let filter =
        |(field, value)| Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build();
    all.map(filter).collect::<Result<_, _>>().context("a filter is incomplete")
}

/// What is not offered on demand, with the reason.
fn absent(
    region: &str,
    instance_types: &BTreeSet<InstanceTypeName>,
    prices: &[Price],
    now: DateTime<Utc>,
) -> Vec<Price> {
    let offered: BTreeSet<&InstanceTypeName> = prices
        .iter()
        .filter(|price| price.tier == PricingTier::OnDemand)
        .map(|price| &price.instance_type)
        .collect();
    let missing = instance_types.iter().filter(|name| name.is_aws() && !offered.contains(name));
    let absent = missing.map(|instance_type| Price {
        instance_type: instance_type.clone(),
        region: region.to_owned(),
        tier: PricingTier::OnDemand,
        currency: currency_of(region).to_owned(),
        price: Observed::absent(format!("AWS offers no {instance_type} on demand in {region}")),
        as_of: now,
        source: SOURCE.to_owned(),
    });
    absent.collect()
}
