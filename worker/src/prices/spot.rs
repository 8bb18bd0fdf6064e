//! Spot prices from EC2's history. A spot price is whatever it was at each moment in each zone; what is told here is the mean
//! over the last seven days and over the zones, each moment counting the same.

use std::collections::{BTreeMap, BTreeSet};

use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Price, PricingTier};
use anyhow::ensure;
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;

use super::{PriceSource, currency_of};
use crate::ec2::{Ec2, Items, Page};

/// What prices of this origin name as their source.
pub const SOURCE: &str = "EC2 (DescribeSpotPriceHistory), mean of 7 days over the zones";

const ACTION: &str = "DescribeSpotPriceHistory";

/// The days that count.
const DAYS: i64 = 7;

/// Spot prices as EC2 keeps them.
#[derive(Debug, Clone)]
pub struct SpotHistory {
    ec2: Ec2,
}

/// From this moment on, this price held in this zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    instance_type: InstanceTypeName,
    availability_zone: String,
    spot_price: f64,
    timestamp: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    spot_price_history_set: Items<Change>,
    next_token: Option<String>,
}

impl Page for Answer {
    fn next_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

impl SpotHistory {
    /// The history behind EC2.
    #[must_use]
    pub fn new(ec2: Ec2) -> Self {
        Self { ec2 }
    }
}

#[async_trait]
impl PriceSource for SpotHistory {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn permission(&self) -> &'static str {
        "ec2:DescribeSpotPriceHistory"
    }

    async fn prices(
        &self,
        region: &str,
        instance_types: &BTreeSet<InstanceTypeName>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<Price>> {
        let since = now - TimeDelta::days(DAYS);
        let mut parameters = vec![
            ("ProductDescription.1".to_owned(), "Linux/UNIX".to_owned()),
            ("StartTime".to_owned(), since.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ];
        for (index, instance_type) in instance_types.iter().enumerate() {
            parameters.push((format!("InstanceType.{}", index + 1), instance_type.to_string()));
        }
        let pages: Vec<Answer> = self.ec2.pages(region, ACTION, &parameters).await?;
        let changes: Vec<Change> =
            pages.into_iter().flat_map(|page| page.spot_price_history_set.item).collect();
        ensure!(!changes.is_empty(), "EC2 knows no spot price of any of our instance types in {region}");
        let price = |(instance_type, per_hour)| Price {
            instance_type,
            region: region.to_owned(),
            tier: PricingTier::Spot,
            currency: currency_of(region).to_owned(),
            price: Observed::Value(HourlyPrice { per_hour, upfront: 0.0 }),
            as_of: now,
            source: SOURCE.to_owned(),
        };
        Ok(means(changes, since, now).into_iter().map(price).collect())
    }
}

/// The mean price of each instance type between two moments. EC2 tells of each zone also the last change before them.
fn means(changes: Vec<Change>, since: DateTime<Utc>, now: DateTime<Utc>) -> BTreeMap<InstanceTypeName, f64> {
    let mut zones: BTreeMap<(InstanceTypeName, String), Vec<Change>> = BTreeMap::new();
    for change in changes.into_iter().filter(|change| change.spot_price > 0.0 && change.timestamp < now) {
        let zone = (change.instance_type.clone(), change.availability_zone.clone());
        zones.entry(zone).or_default().push(change);
    }
    let mut of_types: BTreeMap<InstanceTypeName, Vec<f64>> = BTreeMap::new();
    for ((instance_type, _zone), changes) in zones {
        of_types.entry(instance_type).or_default().push(mean_of_zone(changes, since, now));
    }
    let mean = |prices: Vec<f64>| prices.iter().sum::<f64>() / prices.len() as f64;
    of_types.into_iter().map(|(instance_type, prices)| (instance_type, mean(prices))).collect()
}

fn mean_of_zone(mut changes: Vec<Change>, since: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    changes.sort_by_key(|change| change.timestamp);
    let ends = changes.iter().skip(1).map(|next| next.timestamp).chain([now]);
    let (mut money, mut hours) = (0.0, 0.0);
    for (change, end) in changes.iter().zip(ends) {
        let held = (end.max(since) - change.timestamp.max(since)).as_seconds_f64() / 3600.0;
        money += change.spot_price * held;
        hours += held;
    }
    // A single change at this very moment held for no time.
    if hours > 0.0 { money / hours } else { changes.last().map_or(0.0, |change| change.spot_price) }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Answer, Change, DAYS, means};

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn change(instance_type: &str, zone: &str, hours_ago: i64, spot_price: f64) -> Change {
        Change {
            instance_type: instance_type.parse().unwrap(),
            availability_zone: zone.to_owned(),
            spot_price,
            timestamp: now() - TimeDelta::hours(hours_ago),
        }
    }

    fn mean(changes: Vec<Change>) -> f64 {
        means(changes, now() - TimeDelta::days(DAYS), now())[&"g6e.xlarge".parse().unwrap()]
    }

    #[test]
    fn a_price_counts_for_as_long_as_it_held_within_the_week() {
        // 1.00 from a month ago until 42 hours ago, then 2.00: three quarters of the week at 1, one at 2.
        let changes = vec![change("g6e.xlarge", "a", 42, 2.0), change("g6e.xlarge", "a", 720, 1.0)];
        assert!((mean(changes) - 1.25).abs() < 1e-9);
    }

    #[test]
    fn zones_count_the_same_however_often_their_price_changed() {
        let mut changes = vec![change("g6e.xlarge", "a", 200, 3.0)];
        changes.extend((0..100).map(|hour| change("g6e.xlarge", "b", hour + 100, 1.0)));
        assert!((mean(changes) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn prices_that_are_none_and_moments_to_come_do_not_count() {
        let changes = vec![
            change("g6e.xlarge", "a", 10, 1.5),
            change("g6e.xlarge", "a", 5, 0.0),
            change("g6e.xlarge", "a", -5, 9.0),
            change("p5.48xlarge", "a", 5, 30.0),
        ];
        assert!((mean(changes) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn the_answer_of_ec2_is_read() {
        let answer: Answer =
            quick_xml::de::from_str(include_str!("../../tests/data/spot-prices.xml")).unwrap();
        let changes = answer.spot_price_history_set.item;
        assert_eq!(answer.next_token.as_deref(), Some(""), "an empty one is none");
        assert_eq!((changes.len(), changes[0].spot_price), (3, 0.9121));
        assert_eq!(changes[2].availability_zone, "us-east-1f");
    }
}
