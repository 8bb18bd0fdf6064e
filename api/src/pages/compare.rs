//! Load points side by side, up to eight: numbers with their intervals, what is best, the curves that they lie on, and what
//! each would cost at a chosen rate.

use accelbench_store::{PgConnection, prices};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::frame::{Frame, Section};
use crate::app::App;
use crate::chart::Chart;
use crate::error::ApiError;
use crate::frontier;
use crate::html as filters;
use crate::pricing::{PriceList, Pricing};
use crate::reading::Reading;

mod curves;
pub(crate) mod export;
mod question;
mod table;

use question::Compared;
use table::{Fact, Group, facts, groups, unlike};

/// Load points of one comparison; more columns could not be read.
const MOST: usize = 8;

#[derive(Template, WebTemplate)]
#[template(path = "compare/index.html")]
pub(crate) struct ComparePage {
    frame: Frame,
    compared: Compared,
    pricing: Pricing,
    currency: String,
    regions: Vec<String>,
    /// Each column with why it is not ranked, if so.
    columns: Vec<(Reading, Option<String>)>,
    groups: Vec<Group>,
    facts: Vec<Fact>,
    charts: Vec<Chart>,
    /// Whether it is to be kept as a file, whose links would lead nowhere.
    is_file: bool,
}

/// The same as one file that needs no other.
#[derive(Template)]
#[template(path = "compare/file.html")]
struct CompareFile {
    compared: Compared,
    pricing: Pricing,
    currency: String,
    columns: Vec<(Reading, Option<String>)>,
    groups: Vec<Group>,
    facts: Vec<Fact>,
    charts: Vec<Chart>,
    is_file: bool,
}

pub(crate) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<ComparePage, ApiError> {
    let compared = Compared::of(query.as_deref().unwrap_or_default())?;
    let mut connection = app.connection().await?;
    let prices = compared.pricing.pricing()?.load(&mut connection).await?;
    let columns = load(&mut connection, &compared).await?;
    let charts = charts(&mut connection, &columns, &prices).await?;
    Ok(ComparePage {
        frame: Frame::load(&mut connection, Section::Compare).await?,
        regions: prices::regions(&mut connection).await?,
        groups: groups(&columns, &prices, compared.requests_per_s()?),
        facts: facts(&columns),
        charts,
        columns: unlike(&columns),
        currency: prices.currency().to_owned(),
        pricing: prices.pricing,
        compared,
        is_file: false,
    })
}

/// The same comparison as a file.
pub(crate) async fn export(
    State(app): State<App>,
    axum::extract::Path(form): axum::extract::Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let compared = Compared::of(query.as_deref().unwrap_or_default())?;
    let mut connection = app.connection().await?;
    let prices: PriceList = compared.pricing.pricing()?.load(&mut connection).await?;
    let columns = load(&mut connection, &compared).await?;
    if form == "comparison.html" {
        let page = file(&mut connection, compared, columns, prices).await?;
        return Ok(attached("text/html; charset=utf-8", &form, page));
    }
    let (kind, text) = match form.as_str() {
        "comparison.csv" => ("text/csv; charset=utf-8", export::csv(&columns, &prices)),
        "comparison.json" => ("application/json", export::json(&columns, &prices)),
        "comparison.md" => ("text/markdown; charset=utf-8", export::markdown(&columns, &prices)),
        _ => {
            let error = ApiError::not_found("form of a comparison", &form);
            return Err(
                error.with_hint("ask for comparison.csv, comparison.html, comparison.json or comparison.md")
            );
        }
    };
    Ok(attached(kind, &form, text))
}

fn attached(kind: &'static str, name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, &disposition)], text).into_response()
}

async fn file(
    connection: &mut PgConnection,
    compared: Compared,
    columns: Vec<Reading>,
    prices: PriceList,
) -> Result<String, ApiError> {
    let charts = charts(connection, &columns, &prices).await?;
    let page = CompareFile {
        groups: groups(&columns, &prices, compared.requests_per_s()?),
        facts: facts(&columns),
        charts: charts.into_iter().map(Chart::without_links).collect(),
        columns: unlike(&columns),
        currency: prices.currency().to_owned(),
        pricing: prices.pricing,
        compared,
        is_file: true,
    };
    page.render().map_err(|error| ApiError::internal("a comparison could not be written", &error))
}

async fn charts(
    connection: &mut PgConnection,
    columns: &[Reading],
    prices: &PriceList,
) -> Result<Vec<Chart>, ApiError> {
    let curves = curves::around(connection, columns).await?;
    let charts =
        [frontier::load_curve(&curves), frontier::throughput(&curves), frontier::cost(&curves, prices)];
    Ok(charts.into_iter().flatten().collect())
}

async fn load(connection: &mut PgConnection, compared: &Compared) -> Result<Vec<Reading>, ApiError> {
    let mut columns = Vec::new();
    for id in &compared.ids {
        columns.push(curves::find(connection, id).await?);
    }
    Ok(columns)
}
