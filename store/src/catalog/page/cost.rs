//! The order of a cost. No index can hold it, for prices are the asker's; but within one instance type the cheapest is the
//! one with the greatest throughput, which an index does follow. So the best of each instance type are taken and merged,
//! unless what the filter admits is gathered first.

use accelbench_core::catalog::{CostKind, Direction, Position};
use accelbench_core::result::ResultId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};

use super::{Place, comparison, foreign, rows};
use crate::Result;
use crate::catalog::{CatalogQuery, Pricing};
use crate::prices::PriceList;

/// A cost in SQL: a function of an hour's price and of the column that it falls with.
struct Formula {
    function: &'static str,
    throughput: &'static str,
}

/// The instance types that have a price, and what is paid for an hour of each.
pub(super) fn per_hour(prices: &PriceList, pricing: &Pricing) -> (Vec<String>, Vec<f64>) {
    let paid = |instance_type| prices.hourly(instance_type, pricing.discount).value().map(|it| it.per_hour);
    prices
        .iter()
        .filter_map(|known| {
            let instance_type = &known.price.instance_type;
            Some((instance_type.to_string(), paid(instance_type)?))
        })
        .unzip()
}

pub(super) async fn known(
    connection: &mut PgConnection,
    query: &CatalogQuery,
    prices: &PriceList,
    kind: CostKind,
    limit: usize,
) -> Result<Vec<Place>> {
    let mut statement = statement(query, prices, kind, limit)?;
    let found = statement.build().fetch_all(connection).await?;
    found.iter().map(place).collect()
}

fn statement(
    query: &CatalogQuery,
    prices: &PriceList,
    kind: CostKind,
    limit: usize,
) -> Result<QueryBuilder<Postgres>> {
    let formula = Formula::of(kind);
    let (cost, throughput) = match &formula {
        Some(formula) => (formula.cost(), format!("shown.{}", formula.throughput)),
        None => ("price.per_hour".to_owned(), "0::float8".to_owned()),
    };
    let (names, per_hour) = per_hour(prices, &query.pricing);
    let mut statement = QueryBuilder::new("SELECT best.* FROM unnest(");
    statement.push_bind(names).push("::text[], ").push_bind(per_hour).push(format!(
        "::float8[]) AS price (instance_type, per_hour) CROSS JOIN LATERAL (
             SELECT shown.result_id, {cost} AS cost, {throughput} AS throughput
             FROM catalog_results AS shown WHERE shown.instance_type = price.instance_type"
    ));
    query.filter.push(&mut statement);
    if let Some(cursor) = &query.after {
        let Position::Cost(cost, throughput, id) = cursor.position else { return Err(foreign()) };
        push_after(&mut statement, formula.as_ref(), query.order.direction, (cost, throughput, id));
    }
    let (_, dearer) = comparison(query.order.direction);
    let (_, faster) = comparison(opposite(query.order.direction));
    if !query.filter.gathers() {
        let within = formula.map(|it| format!("shown.{} {faster}, ", it.throughput)).unwrap_or_default();
        statement.push(format!(" ORDER BY {within}shown.result_id {faster} LIMIT ")).push_bind(rows(limit));
    }
    statement.push(format!(
        ") AS best ORDER BY best.cost {dearer}, best.throughput {faster}, best.result_id {faster} LIMIT "
    ));
    statement.push_bind(rows(limit));
    Ok(statement)
}

/// Only what comes after a place. The throughput is part of the place, because costs may be equal where throughputs
/// differ in their last bit.
fn push_after(
    statement: &mut QueryBuilder<Postgres>,
    formula: Option<&Formula>,
    direction: Direction,
    (cost, throughput, id): (f64, f64, ResultId),
) {
    let (dearer, _) = comparison(direction);
    let (slower, _) = comparison(opposite(direction));
    let Some(formula) = formula else {
        statement.push(format!(" AND (price.per_hour {dearer} ")).push_bind(cost);
        statement.push(" OR (price.per_hour = ").push_bind(cost);
        statement.push(format!(" AND shown.result_id {slower} ")).push_bind(id.0).push("))");
        return;
    };
    let (own, column) = (formula.cost(), formula.throughput);
    statement.push(format!(" AND ({own} {dearer} ")).push_bind(cost);
    statement.push(format!(" OR ({own} = ")).push_bind(cost);
    statement.push(format!(" AND (shown.{column}, shown.result_id) {slower} ("));
    statement.push_bind(throughput).push(", ").push_bind(id.0).push(")))");
    // The throughput that costs as much: a formula is its own inverse. The index begins there, a little early because of
    // rounding.
    let early = if direction == Direction::Ascending { 1.0 + 1e-9 } else { 1.0 - 1e-9 };
    statement.push(format!(" AND shown.{column} {slower}= {}(price.per_hour, ", formula.function));
    statement.push_bind(cost).push(") * ").push_bind(early);
}

impl Formula {
    /// The formula of a cost; the hour itself needs none.
    fn of(kind: CostKind) -> Option<Self> {
        let (function, throughput) = match kind {
            CostKind::InstancePerHour => return None,
            CostKind::PerMillionInputTokens => ("cost_per_million", "input_tokens_per_s"),
            CostKind::PerMillionOutputTokens => ("cost_per_million", "output_tokens_per_s"),
            CostKind::PerMillionTokens => ("cost_per_million", "tokens_per_s"),
            CostKind::PerRequest => ("cost_per_unit", "requests_per_s"),
        };
        Some(Self { function, throughput })
    }

    fn cost(&self) -> String {
        format!("{}(price.per_hour, shown.{})", self.function, self.throughput)
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    }
}

fn place(row: &PgRow) -> Result<Place> {
    let result_id = ResultId(row.try_get("result_id")?);
    let position = Position::Cost(row.try_get("cost")?, row.try_get("throughput")?, result_id);
    Ok(Place { result_id, position })
}
