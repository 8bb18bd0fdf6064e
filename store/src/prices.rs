//! Prices: what is known now, how old it is, and what was known before. A price is added when it changes and never
//! changed itself.

use std::collections::BTreeMap;

use accelbench_core::cost::DiscountFactor;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Payment, Price, PricingTier};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::{Error, Result};

/// A price as it is known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KnownPrice {
    /// The price.
    #[serde(flatten)]
    pub price: Price,
    /// When its source was last asked, or, for a source that is never asked, as of when it speaks: its age.
    pub confirmed_at: DateTime<Utc>,
}

/// Which prices; what is left out admits all.
#[derive(Debug, Clone, Copy, Default)]
pub struct PriceFilter<'a> {
    /// Of this instance type.
    pub instance_type: Option<&'a str>,
    /// In this region.
    pub region: Option<&'a str>,
    /// In this tier, whatever the payment option.
    pub tier: Option<&'a str>,
}

/// A look at a price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh<'a> {
    /// The list.
    pub source: &'a str,
    /// The region.
    pub region: &'a str,
    /// How many offers were read and how many of them were news, or why none could be read.
    pub outcome: std::result::Result<(usize, u64), String>,
}

/// Adds the prices that differ from what is known, and says how many these were. Prices of instance types that are not
/// ours are left out.
///
/// # Errors
/// [`Error::Database`] with the constraint for a price that cannot be.
pub async fn record(connection: &mut PgConnection, prices: &[Price]) -> Result<u64> {
    let amounts: Vec<Option<&HourlyPrice>> = prices.iter().map(|price| price.price.value()).collect();
    let text = |of: fn(&Price) -> &str| prices.iter().map(|price| of(price).to_owned()).collect::<Vec<_>>();
    let recorded = sqlx::query_file!(
        "queries/prices/record.sql",
        &text(|price| price.instance_type.as_str()),
        &text(|price| &price.region),
        &text(|price| price.tier.as_str()),
        &prices.iter().map(|price| price.tier.payment().map(|it| it.as_str().to_owned())).collect::<Vec<_>>()
            as &[Option<String>],
        &text(|price| &price.currency),
        &amounts.iter().map(|amount| amount.map(|it| it.per_hour)).collect::<Vec<_>>() as &[Option<f64>],
        &amounts.iter().map(|amount| amount.map(|it| it.upfront)).collect::<Vec<_>>() as &[Option<f64>],
        &prices.iter().map(|price| price.price.absent_reason().map(str::to_owned)).collect::<Vec<_>>()
            as &[Option<String>],
        &prices.iter().map(|price| price.as_of).collect::<Vec<_>>(),
        &text(|price| &price.source),
    );
    Ok(recorded.execute(connection).await?.rows_affected())
}

/// Notes that a price list was looked at.
///
/// # Errors
/// [`Error::Database`].
pub async fn note_refresh(connection: &mut PgConnection, refresh: &Refresh<'_>) -> Result<()> {
    let (offers, changed, error) = match &refresh.outcome {
        Ok((offers, changed)) => {
            (i32::try_from(*offers).unwrap_or(i32::MAX), i32::try_from(*changed).unwrap_or(i32::MAX), None)
        }
        Err(error) => (0, 0, Some(error.as_str())),
    };
    sqlx::query!(
        "INSERT INTO price_refreshes (source, region, offers, changed, error) VALUES ($1, $2, $3, $4, $5)",
        refresh.source,
        refresh.region,
        offers,
        changed,
        error,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a price list is to be asked: no look of the last day succeeded, and none of the last hour was tried.
///
/// # Errors
/// [`Error::Database`].
pub async fn is_due(connection: &mut PgConnection, source: &str, region: &str) -> Result<bool> {
    let due = sqlx::query_scalar!(
        r#"SELECT NOT EXISTS (
            SELECT FROM price_refreshes
            WHERE source = $1 AND region = $2
                AND refreshed_at > now() - CASE WHEN error IS NULL THEN interval '24 hours' ELSE interval '1 hour' END
        ) AS "due!""#,
        source,
        region,
    );
    Ok(due.fetch_one(connection).await?)
}

/// The newest price of each instance type, region, tier and payment option.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn newest(connection: &mut PgConnection, filter: &PriceFilter<'_>) -> Result<Vec<KnownPrice>> {
    let rows = sqlx::query_file_as!(
        PriceRow,
        "queries/prices/newest.sql",
        filter.instance_type,
        filter.region,
        filter.tier
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(KnownPrice::try_from).collect()
}

/// The prices of every instance type in one region and tier, as they were known at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceList {
    /// The region.
    pub region: String,
    /// The tier.
    pub tier: PricingTier,
    prices: BTreeMap<InstanceTypeName, KnownPrice>,
}

/// The newest price of each instance type that was stated for `at` or earlier.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list_at(
    connection: &mut PgConnection,
    region: &str,
    tier: PricingTier,
    at: DateTime<Utc>,
) -> Result<PriceList> {
    let payment = tier.payment().map(Payment::as_str);
    let rows =
        sqlx::query_file_as!(PriceRow, "queries/prices/list_at.sql", region, tier.as_str(), payment, at)
            .fetch_all(connection)
            .await?;
    let known: Result<Vec<KnownPrice>> = rows.into_iter().map(KnownPrice::try_from).collect();
    let prices = known?.into_iter().map(|known| (known.price.instance_type.clone(), known)).collect();
    Ok(PriceList { region: region.to_owned(), tier, prices })
}

impl PriceList {
    /// What is known of the price of an instance type.
    #[must_use]
    pub fn get(&self, instance_type: &InstanceTypeName) -> Option<&KnownPrice> {
        self.prices.get(instance_type)
    }

    /// Every price, by instance type.
    pub fn iter(&self) -> impl Iterator<Item = &KnownPrice> {
        self.prices.values()
    }

    /// What an hour of an instance costs after the discount, or why that is not known.
    #[must_use]
    pub fn hourly(
        &self,
        instance_type: &InstanceTypeName,
        discount: DiscountFactor,
    ) -> Observed<HourlyPrice> {
        match self.get(instance_type) {
            Some(known) => known.price.price.clone().map(|hourly| discount.apply(hourly)),
            None => Observed::absent(unknown(instance_type, &self.region, self.tier)),
        }
    }
}

/// What is known of the price of an instance type in every tier of a region.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn every_tier(
    connection: &mut PgConnection,
    instance_type: &InstanceTypeName,
    region: &str,
) -> Result<Vec<(PricingTier, Option<KnownPrice>)>> {
    let filter =
        PriceFilter { instance_type: Some(instance_type.as_str()), region: Some(region), tier: None };
    let mut known = newest(connection, &filter).await?;
    let mut take = |tier| known.extract_if(.., |known| known.price.tier == tier).next();
    Ok(PricingTier::all().map(|tier| (tier, take(tier))).collect())
}

/// Why there is no price, where nothing is known of the offer.
#[must_use]
pub fn unknown(instance_type: &InstanceTypeName, region: &str, tier: PricingTier) -> String {
    let tier = tier.as_str().replace('_', "-");
    format!("no {tier} price of {instance_type} in {region} is known")
}

/// When any price list was last looked at with success, or, before that, as of when the newest price is.
///
/// # Errors
/// [`Error::Database`].
pub async fn confirmed_at(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let confirmed = sqlx::query_scalar!(
        "SELECT coalesce((SELECT max(refreshed_at) FROM price_refreshes WHERE error IS NULL), max(as_of)) FROM prices"
    );
    Ok(confirmed.fetch_one(connection).await?)
}

/// The regions of which any price is known.
///
/// # Errors
/// [`Error::Database`].
pub async fn regions(connection: &mut PgConnection) -> Result<Vec<String>> {
    let regions = sqlx::query_scalar!("SELECT DISTINCT region FROM prices ORDER BY region");
    Ok(regions.fetch_all(connection).await?)
}

/// The last look at a price list, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Look {
    /// The list.
    pub source: String,
    /// The region.
    pub region: String,
    /// When.
    pub refreshed_at: DateTime<Utc>,
    /// How many offers were read.
    pub offers: i32,
    /// How many of them were news.
    pub changed: i32,
    /// Why none could be read.
    pub error: Option<String>,
}

/// The last look at each price list and region.
///
/// # Errors
/// [`Error::Database`].
pub async fn last_looks(connection: &mut PgConnection) -> Result<Vec<Look>> {
    let looks = sqlx::query_as!(
        Look,
        "SELECT DISTINCT ON (source, region) source, region, refreshed_at, offers, changed, error
         FROM price_refreshes ORDER BY source, region, refreshed_at DESC"
    );
    Ok(looks.fetch_all(connection).await?)
}

struct PriceRow {
    instance_type: String,
    region: String,
    tier: String,
    payment: Option<String>,
    currency: String,
    price_per_hour: Option<f64>,
    upfront: Option<f64>,
    absent_reason: Option<String>,
    as_of: DateTime<Utc>,
    source: String,
    looked_at: Option<DateTime<Utc>>,
}

impl TryFrom<PriceRow> for KnownPrice {
    type Error = Error;

    fn try_from(row: PriceRow) -> Result<Self> {
        let owner = format!("{} in {}", row.instance_type, row.region);
        let payment = row.payment.as_deref().and_then(Payment::from_word);
        let price = match (row.price_per_hour, row.absent_reason) {
            (Some(per_hour), _) => {
                Observed::Value(HourlyPrice { per_hour, upfront: row.upfront.unwrap_or_default() })
            }
            (None, reason) => Observed::absent(reason.unwrap_or_else(|| "no reason was given".to_owned())),
        };
        let tier = PricingTier::from_words(&row.tier, payment).map_err(|_unknown| Error::Corrupt {
            what: "pricing tier",
            owner: owner.clone(),
            source: None,
        })?;
        Ok(Self {
            price: Price {
                instance_type: row.instance_type.parse().map_err(|_unknown| Error::Corrupt {
                    what: "instance type",
                    owner,
                    source: None,
                })?,
                region: row.region,
                tier,
                currency: row.currency,
                price,
                as_of: row.as_of,
                source: row.source,
            },
            confirmed_at: row.looked_at.map_or(row.as_of, |looked_at| looked_at.max(row.as_of)),
        })
    }
}
