//! The catalog: the current, valid result of each configuration, filtered, ordered by any number or cost, page by page,
//! and priced. Which result is current is decided by triggers as results come in; here it is only read.
//!
//! A walk through the pages shows each configuration once, whatever is recorded meanwhile; one that is measured anew
//! during the walk may show up again with its new numbers. Those whose value in the order is unknown come last.

use accelbench_core::catalog::{CatalogItem, Cursor, InvalidCursor, Order};
use accelbench_core::cost::{DiscountFactor, OutputWeight};
use accelbench_core::price::PricingTier;
use accelbench_core::result::ResultId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgConnection;

use crate::prices::{self, KnownPrice, PriceList};
use crate::{Error, Result};

mod filter;
mod item;
mod page;

pub use filter::CatalogFilter;

/// A question to the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogQuery {
    /// Which results.
    pub filter: CatalogFilter,
    /// In which order.
    pub order: Order,
    /// At which prices.
    pub pricing: Pricing,
    /// At most this many on a page.
    pub limit: u32,
    after: Option<Cursor>,
}

/// The prices that costs are computed from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pricing {
    /// AWS's name of the region.
    pub region: String,
    /// The tier.
    #[serde(flatten)]
    pub tier: PricingTier,
    /// The share of the list price that is paid.
    pub discount: DiscountFactor,
    /// How many input tokens an output token weighs where the hour is split.
    pub output_weight: OutputWeight,
    /// The prices of this moment; `None` are those of today.
    pub priced_at: Option<DateTime<Utc>>,
}

/// A page of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogPage {
    /// Its results, in order.
    pub items: Vec<CatalogItem>,
    /// The list prices of their instance types, where there are any, with their age.
    pub prices: Vec<KnownPrice>,
    /// The moment whose prices they are.
    pub priced_at: DateTime<Utc>,
    /// What the next page goes on with; `None` on the last.
    pub next: Option<Cursor>,
}

impl CatalogQuery {
    /// Asks for the first page.
    #[must_use]
    pub fn new(filter: CatalogFilter, order: Order, pricing: Pricing, limit: u32) -> Self {
        Self { filter, order, pricing, limit, after: None }
    }

    /// Asks for the page after the one that `cursor` ends.
    ///
    /// # Errors
    /// [`InvalidCursor::OtherQuestion`] when filter, order or pricing are not those of the page before.
    pub fn after(self, cursor: Cursor) -> std::result::Result<Self, InvalidCursor> {
        cursor.check(&self.question())?;
        Ok(Self { after: Some(cursor), ..self })
    }

    /// A text that differs whenever the answer may be another one.
    fn question(&self) -> String {
        format!("{:?}", (&self.filter, self.order, &self.pricing))
    }
}

impl Pricing {
    /// On-demand list prices of today in a region.
    #[must_use]
    pub fn on_demand(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            tier: PricingTier::OnDemand,
            discount: DiscountFactor::NONE,
            output_weight: OutputWeight::default(),
            priced_at: None,
        }
    }
}

/// A page of the catalog.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection, query: &CatalogQuery) -> Result<CatalogPage> {
    let pricing = &query.pricing;
    let pinned = query.after.as_ref().map(|cursor| cursor.priced_at);
    let priced_at = pinned.or(pricing.priced_at).unwrap_or_else(Utc::now);
    let prices = prices::list_at(connection, &pricing.region, pricing.tier, priced_at).await?;
    // One more than asked for tells whether there is another page.
    let limit = query.limit as usize;
    let mut places = page::find(connection, query, &prices, limit + 1).await?;
    let more = places.len() > limit;
    places.truncate(limit);
    let ids: Vec<ResultId> = places.iter().map(|place| place.result_id).collect();
    let items = item::load(connection, &ids, &prices, pricing).await?;
    let last = places.last().filter(|_| more);
    let next = last.map(|last| Cursor::new(&query.question(), priced_at, last.position));
    Ok(CatalogPage { prices: prices_of(&items, &prices), items, priced_at, next })
}

/// The results of the configuration of a result, the current one first: by revision, then by age. Those that failed a
/// check or were superseded are left out.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Database`], [`Error::Corrupt`].
pub async fn history(
    connection: &mut PgConnection,
    of: ResultId,
    pricing: &Pricing,
    limit: u32,
) -> Result<CatalogPage> {
    let found = sqlx::query_file_scalar!("queries/catalog/history.sql", of.0, i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let ids: Vec<ResultId> = found.into_iter().map(ResultId).collect();
    if ids.is_empty() {
        // Either it is unknown, or all of its configuration was withdrawn.
        crate::results::find(connection, of).await?;
    }
    let priced_at = pricing.priced_at.unwrap_or_else(Utc::now);
    let prices = prices::list_at(connection, &pricing.region, pricing.tier, priced_at).await?;
    let items = item::load(connection, &ids, &prices, pricing).await?;
    Ok(CatalogPage { prices: prices_of(&items, &prices), items, priced_at, next: None })
}

fn prices_of(items: &[CatalogItem], prices: &PriceList) -> Vec<KnownPrice> {
    let on_page =
        |known: &&KnownPrice| items.iter().any(|item| item.instance_type == known.price.instance_type);
    prices.iter().filter(on_page).cloned().collect()
}

fn corrupt(what: &'static str, result: ResultId) -> Error {
    Error::Corrupt { what, owner: format!("result {}", result.0), source: None }
}
