//! The catalog: what was measured here, and, as a list of its own, what others published. Filters, limits and the order of
//! columns stand in the address; the table is the same with and without JavaScript.

use accelbench_store::imported::{self, ImportFilter};
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{PgConnection, instances, prices};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

use super::frame::{Frame, Section};
use super::readings::Readings;
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;
use crate::pricing::Pricing;
use crate::reading::Reading;

mod columns;
mod filter;

use columns::{COLUMNS, Column, sort};
use filter::CatalogFilter;

/// Rows on one page.
const PAGE: usize = 50;

/// Readings that are looked at for one list.
const MOST_READINGS: i64 = 5000;

#[derive(Template, WebTemplate)]
#[template(path = "catalog/index.html")]
pub(crate) struct CatalogPage {
    frame: Frame,
    shelf: Shelf,
    filter: CatalogFilter,
    pricing: Pricing,
    regions: Vec<String>,
    accelerators: Vec<String>,
    /// How many readings match.
    found: usize,
    readings: Readings,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// Results of ours.
    Measured,
    /// What others published.
    Published,
}

pub(crate) async fn measured(
    State(app): State<App>,
    Parameters(filter): Parameters<CatalogFilter>,
) -> Result<CatalogPage, ApiError> {
    page(&app, Shelf::Measured, filter).await
}

pub(crate) async fn published(
    State(app): State<App>,
    Parameters(filter): Parameters<CatalogFilter>,
) -> Result<CatalogPage, ApiError> {
    page(&app, Shelf::Published, filter).await
}

async fn page(app: &App, shelf: Shelf, filter: CatalogFilter) -> Result<CatalogPage, ApiError> {
    let mut connection = app.connection().await?;
    let wanted = filter.wanted()?;
    let all = match shelf {
        Shelf::Measured => of_ours(&mut connection, &filter).await?,
        Shelf::Published => of_others(&mut connection, &filter).await?,
    };
    let list = filter.pricing.pricing()?.load(&mut connection).await?;
    let mut found: Vec<Reading> = all.into_iter().filter(|reading| wanted.admits(reading)).collect();
    sort(&mut found, &list, filter.column(), filter.is_descending());
    let count = found.len();
    let first = (filter.page_number() - 1) * PAGE;
    let shown: Vec<Reading> = found.into_iter().skip(first).take(PAGE).collect();
    let mut accelerators: Vec<String> = instances::list(&mut connection)
        .await?
        .into_iter()
        .filter_map(|instance| instance.accelerator_name)
        .collect();
    accelerators.sort();
    accelerators.dedup();
    Ok(CatalogPage {
        frame: Frame::load(&mut connection, Section::Catalog).await?,
        regions: prices::regions(&mut connection).await?,
        readings: Readings::in_order(shown, &list),
        pricing: list.pricing,
        accelerators,
        found: count,
        shelf,
        filter,
    })
}

async fn of_ours(connection: &mut PgConnection, filter: &CatalogFilter) -> Result<Vec<Reading>, ApiError> {
    let wanted = ResultFilter {
        instance_type: filter.instance_type.clone(),
        accelerator_name: filter.accelerator.clone(),
        quantization: filter.quantization.clone(),
        origin: filter.origin,
        exclude_simulated: true,
        ..ResultFilter::default()
    };
    let found = results::list(connection, &wanted, MOST_READINGS).await?;
    Ok(found.iter().map(Reading::from).collect())
}

async fn of_others(connection: &mut PgConnection, filter: &CatalogFilter) -> Result<Vec<Reading>, ApiError> {
    let wanted = ImportFilter {
        instance_type: filter.instance_type.clone(),
        accelerator_name: filter.accelerator.clone(),
        precision: filter.quantization.clone(),
        ..ImportFilter::default()
    };
    let found = imported::list(connection, &wanted, MOST_READINGS).await?;
    Ok(found.iter().map(Reading::from).collect())
}

impl Shelf {
    fn address(self) -> &'static str {
        match self {
            Self::Measured => "/catalog",
            Self::Published => "/published",
        }
    }

    fn is_published(self) -> bool {
        self == Self::Published
    }
}

impl CatalogPage {
    /// The columns with the address that sorts by each, and how the list is sorted by it now.
    fn heads(&self) -> impl Iterator<Item = (&'static Column, String, Option<&'static str>)> {
        COLUMNS.iter().map(|column| {
            let is_present = column.word == self.filter.column().word;
            let order = if self.filter.is_descending() { "descending" } else { "ascending" };
            (column, self.filter.sorted_by(self.shelf.address(), column), is_present.then_some(order))
        })
    }

    fn pages(&self) -> usize {
        self.found.div_ceil(PAGE).max(1)
    }

    /// The address of another page of the list, where there is one.
    fn page(&self, number: usize) -> Option<String> {
        (1..=self.pages()).contains(&number).then(|| self.filter.on_page(self.shelf.address(), number))
    }
}
