//! The catalog: what was measured here, and, as a list of its own, what others published. Filters, limits and the order of
//! columns stand in the address; the table is the same with and without JavaScript.

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

mod columns;
mod filter;
mod shelf;

use columns::{COLUMNS, Column};
use filter::{CHOSEN, CatalogFilter};
use shelf::{Sheet, Shelf};

#[derive(Template, WebTemplate)]
#[template(path = "catalog/index.html")]
pub(crate) struct CatalogPage {
    frame: Frame,
    shelf: Shelf,
    filter: CatalogFilter,
    pricing: Pricing,
    regions: Vec<String>,
    accelerators: Vec<String>,
    /// How many readings match, where they were all looked at.
    found: Option<usize>,
    readings: Readings,
    first: Option<String>,
    next: Option<String>,
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
    let mut connection = app.reading_connection().await?;
    let list = filter.pricing.pricing()?.load(&mut connection).await?;
    let Sheet { readings, found, first, next } = shelf.sheet(&mut connection, &filter, &list).await?;
    Ok(CatalogPage {
        frame: Frame::load(&mut connection, Section::Catalog).await?,
        regions: prices::regions(&mut connection).await?,
        accelerators: accelerators(&mut connection).await?,
        readings: Readings::in_order(readings, &list),
        pricing: list.pricing,
        found,
        first,
        next,
        shelf,
        filter,
    })
}

async fn accelerators(connection: &mut PgConnection) -> Result<Vec<String>, ApiError> {
    let instances = instances::list(connection).await?.into_iter();
    let mut names: Vec<String> = instances.filter_map(|instance| instance.accelerator_name).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

impl CatalogPage {
    /// The columns that may be hidden: name, address that hides or shows it, and whether it is shown.
    fn choices(&self) -> impl Iterator<Item = (String, String, bool)> {
        CHOSEN.iter().map(|word| {
            let column = COLUMNS.iter().find(|column| column.word == *word);
            let name = column.map_or_else(|| filters::words(word), |column| column.name.to_owned());
            (name, self.filter.toggled(self.shelf.address(), word), self.filter.shows(word))
        })
    }

    /// The columns with the address that sorts by each, where one does, and how the list is sorted by it now.
    fn heads(&self) -> impl Iterator<Item = (&'static Column, Option<String>, Option<&'static str>)> {
        COLUMNS.iter().filter(|column| self.filter.shows(column.word)).map(|column| {
            let address =
                self.shelf.sorts_by(column).then(|| self.filter.sorted_by(self.shelf.address(), column));
            let is_present = column.word == self.filter.column().word;
            let order = if self.filter.is_descending() { "descending" } else { "ascending" };
            (column, address, is_present.then_some(order))
        })
    }
}
