//! Which results are on a page. The statement is put together here and not checked by the compiler: an order that an index
//! can follow has to be written out, and a filter that was not given must not stand in its way. Its texts are ours alone,
//! what comes from outside is bound, and a test runs every order and every filter.

use accelbench_core::catalog::{Direction, Order, Position, SortKey};
use accelbench_core::result::ResultId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};

use super::CatalogQuery;
use crate::prices::PriceList;
use crate::{Error, Result};

mod cost;

/// Keeps the planner from following an order through what is inside.
const GATHERED: &str = " OFFSET 0";

/// A result's place in an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) result_id: ResultId,
    pub(super) position: Position,
}

/// The next places in the order, at most `limit`: those whose value is known, then those where it is not.
///
/// # Errors
/// [`Error::Database`], [`Error::Conflict`] for a cursor whose position is of another order.
pub(super) async fn find(
    connection: &mut PgConnection,
    query: &CatalogQuery,
    prices: &PriceList,
    limit: usize,
) -> Result<Vec<Place>> {
    let after = query.after.as_ref().map(|cursor| cursor.position);
    let mut places = match after {
        Some(Position::Unknown(_)) => Vec::new(),
        _ => known(connection, query, prices, limit).await?,
    };
    if places.len() < limit {
        let begin = match after {
            Some(Position::Unknown(id)) => Some(id),
            _ => None,
        };
        places.extend(unknown(connection, query, prices, begin, limit - places.len()).await?);
    }
    Ok(places)
}

async fn known(
    connection: &mut PgConnection,
    query: &CatalogQuery,
    prices: &PriceList,
    limit: usize,
) -> Result<Vec<Place>> {
    match query.order.key {
        SortKey::Cost(kind) => cost::known(connection, query, prices, kind, limit).await,
        SortKey::RecordedAt | SortKey::Metric(_) => {
            let mut statement = by_column(query, limit)?;
            let rows = statement.build().fetch_all(connection).await?;
            rows.iter().map(|row| place(row, query.order)).collect()
        }
    }
}

/// In the order of a column, which an index follows unless what the filter admits is gathered first.
fn by_column(query: &CatalogQuery, limit: usize) -> Result<QueryBuilder<Postgres>> {
    let column = query.order.key.to_string();
    let (after, direction) = comparison(query.order.direction);
    let mut statement = QueryBuilder::new(format!(
        "SELECT * FROM (SELECT shown.result_id, shown.{column} AS value FROM catalog_results AS shown
         WHERE shown.{column} IS NOT NULL"
    ));
    query.filter.push(&mut statement);
    if let Some(cursor) = &query.after {
        statement.push(format!(" AND (shown.{column}, shown.result_id) {after} ("));
        match cursor.position {
            Position::Recorded(at, id) => statement.push_bind(at).push(", ").push_bind(id.0),
            Position::Value(value, id) => statement.push_bind(value).push(", ").push_bind(id.0),
            Position::Cost(..) | Position::Unknown(_) => return Err(foreign()),
        };
        statement.push(")");
    }
    if query.filter.gathers() {
        statement.push(GATHERED);
    }
    statement.push(format!(") AS known ORDER BY value {direction}, result_id {direction} LIMIT "));
    statement.push_bind(rows(limit));
    Ok(statement)
}

fn place(row: &PgRow, order: Order) -> Result<Place> {
    let result_id = ResultId(row.try_get("result_id")?);
    let position = match order.key {
        SortKey::RecordedAt => Position::Recorded(row.try_get("value")?, result_id),
        SortKey::Metric(_) | SortKey::Cost(_) => Position::Value(row.try_get("value")?, result_id),
    };
    Ok(Place { result_id, position })
}

/// Those without a value: too few requests for the statistic, or no price of the instance type.
async fn unknown(
    connection: &mut PgConnection,
    query: &CatalogQuery,
    prices: &PriceList,
    after: Option<ResultId>,
    limit: usize,
) -> Result<Vec<Place>> {
    let mut statement =
        QueryBuilder::new("SELECT * FROM (SELECT shown.result_id FROM catalog_results AS shown WHERE ");
    match query.order.key {
        // When a result was recorded is always known.
        SortKey::RecordedAt => return Ok(Vec::new()),
        SortKey::Metric(metric) => statement.push(format!("shown.{metric} IS NULL")),
        SortKey::Cost(_) => {
            let (instance_types, _) = cost::per_hour(prices, &query.pricing);
            statement.push("shown.instance_type = ANY (ARRAY(SELECT instance_type FROM instance_types");
            statement.push(" WHERE instance_type <> ALL (").push_bind(instance_types).push(")))")
        }
    };
    query.filter.push(&mut statement);
    if let Some(after) = after {
        statement.push(" AND shown.result_id > ").push_bind(after.0);
    }
    // Mostly there are few, if any.
    statement.push(GATHERED).push(") AS unknown ORDER BY result_id LIMIT ").push_bind(rows(limit));
    let found = statement.build().fetch_all(connection).await?;
    let place = |row: &PgRow| {
        let result_id = ResultId(row.try_get("result_id")?);
        Ok(Place { result_id, position: Position::Unknown(result_id) })
    };
    found.iter().map(place).collect()
}

/// What comes after a place in a direction, and the word for the direction.
fn comparison(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Ascending => (">", "ASC"),
        Direction::Descending => ("<", "DESC"),
    }
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Only a cursor that somebody wrote by hand is of another order than the question that it names.
fn foreign() -> Error {
    Error::Conflict("the cursor is of another order; leave it out for the first page".to_owned())
}
