//! The two lists. Ours is read page by page in the database's order; what others published is small enough to be sorted
//! here by any column.

use std::collections::BTreeMap;

use accelbench_core::catalog::{CatalogItem, Cursor, Direction, InvalidCursor, Order, SortKey};
use accelbench_core::cost::{DiscountFactor, OutputWeight};
use accelbench_core::result::Origin;
use accelbench_core::slo::Slo;
use accelbench_store::PgConnection;
use accelbench_store::catalog::{self, CatalogQuery, Pricing};
use accelbench_store::imported::{self, ImportFilter};

use super::columns::{Column, sort};
use super::filter::CatalogFilter;
use crate::error::ApiError;
use crate::pricing::PriceList;
use crate::reading::Reading;

/// Rows on one page.
const PAGE: usize = 50;

/// Published results that are looked at for one list.
const MOST_PUBLISHED: i64 = 10_000;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// The current result of each configuration.
    Measured,
    /// What others published.
    Published,
}

/// A page of a list.
pub(super) struct Sheet {
    pub(super) readings: Vec<Reading>,
    pub(super) found: Option<usize>,
    /// The address of the first page, from others.
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

impl Shelf {
    pub(crate) fn address(self) -> &'static str {
        match self {
            Self::Measured => "/catalog",
            Self::Published => "/published",
        }
    }

    pub(crate) fn is_published(self) -> bool {
        self == Self::Published
    }

    /// Whether this list can be sorted by a column.
    pub(super) fn sorts_by(self, column: &Column) -> bool {
        self.is_published() || column.word.parse::<SortKey>().is_ok()
    }

    pub(super) async fn sheet(
        self,
        connection: &mut PgConnection,
        filter: &CatalogFilter,
        prices: &PriceList,
    ) -> Result<Sheet, ApiError> {
        match self {
            Self::Measured => measured(connection, filter, prices).await,
            Self::Published => published(connection, filter, prices).await,
        }
    }
}

async fn measured(
    connection: &mut PgConnection,
    filter: &CatalogFilter,
    prices: &PriceList,
) -> Result<Sheet, ApiError> {
    let address = Shelf::Measured.address();
    let page = catalog::list(connection, &question(filter, prices)?).await?;
    Ok(Sheet {
        readings: page.items.iter().map(Reading::from).collect(),
        found: None,
        first: filter.page.is_some().then(|| filter.on_page(address, None)),
        next: page.next.map(|cursor| filter.on_page(address, Some(cursor.to_string()))),
    })
}

fn question(filter: &CatalogFilter, prices: &PriceList) -> Result<CatalogQuery, ApiError> {
    let key = filter.column().word.parse();
    let direction = if filter.is_descending() { Direction::Descending } else { Direction::Ascending };
    let wanted = filter.wanted()?;
    let selection = catalog::CatalogFilter {
        origin: filter.origin.unwrap_or(Origin::Measured),
        model_search: filter.search.clone(),
        instance_type: filter.instance_type.clone(),
        accelerator_name: filter.accelerator.clone(),
        quantization: filter.quantization(),
        slo: Slo::new(wanted.limits).ok(),
        ..catalog::CatalogFilter::default()
    };
    let pricing = Pricing {
        region: prices.pricing.region.clone(),
        tier: prices.pricing.tier,
        discount: DiscountFactor::NONE,
        output_weight: OutputWeight::default(),
        priced_at: None,
    };
    let order = Order { key: key.unwrap_or(SortKey::RecordedAt), direction };
    let query = CatalogQuery::new(selection, order, pricing, PAGE as u32);
    let Some(cursor) = &filter.page else { return Ok(query) };
    let refused = |error: InvalidCursor| ApiError::bad_request(error.to_string());
    let cursor: Cursor = cursor.parse().map_err(refused)?;
    query.after(cursor).map_err(refused)
}

async fn published(
    connection: &mut PgConnection,
    filter: &CatalogFilter,
    prices: &PriceList,
) -> Result<Sheet, ApiError> {
    let wanted = filter.wanted()?;
    let selection = ImportFilter {
        instance_type: filter.instance_type.clone(),
        accelerator_name: filter.accelerator.clone(),
        precision: filter.quantization.clone(),
        ..ImportFilter::default()
    };
    let all = imported::list(connection, &selection, MOST_PUBLISHED).await?;
    let mut found: Vec<Reading> =
        all.iter().map(Reading::from).filter(|reading| wanted.admits(reading)).collect();
    sort(&mut found, prices, filter.column(), filter.is_descending());
    let (number, count) = (filter.page_number(), found.len());
    let address = Shelf::Published.address();
    Ok(Sheet {
        readings: found.into_iter().skip((number - 1) * PAGE).take(PAGE).collect(),
        found: Some(count),
        first: (number > 1).then(|| filter.on_page(address, None)),
        next: (number * PAGE < count).then(|| filter.on_page(address, Some((number + 1).to_string()))),
    })
}

impl From<&CatalogItem> for Reading {
    fn from(item: &CatalogItem) -> Self {
        Self {
            id: item.result_id.0.to_string(),
            origin: item.origin,
            model: item.model.clone(),
            instance_type: Some(item.instance_type.clone()),
            is_comparable_only: false,
            accelerator_name: None,
            accelerators_used: item.accelerators_used.value().copied(),
            kind: None,
            engine: item.engine.to_string(),
            engine_version: item.engine_version.value().cloned(),
            precision: item.quantization.value().map(ToString::to_string),
            tensor_parallel: Some(item.tensor_parallel),
            offered_load: Some(item.offered_load),
            input_tokens_mean: None,
            output_tokens_mean: None,
            metrics: item.metrics.clone(),
            estimates: BTreeMap::new(),
            requests_completed: Some(item.requests_completed),
            error_share: Some(item.error_share),
            validity: Some(item.validity),
            is_superseded: false,
            workload: item.workload_sha256.to_string(),
            date: item.recorded_at.format("%Y-%m-%d").to_string(),
            source: "AccelBench".to_owned(),
        }
    }
}
