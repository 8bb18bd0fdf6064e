//! Tables of the catalog: the numbers that decide, and what they cost.

use std::collections::BTreeSet;

use accelbench_core::catalog::CatalogItem;
use accelbench_core::catalog::refresh::RefreshPlan;
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::observed::Observed;

use comfy_table::Table;

use super::{load, milliseconds, plain, right_align};

const COLUMNS: [&str; 13] = [
    "model",
    "instance type",
    "engine",
    "precision",
    "load",
    "req/s",
    "output tok/s",
    "TTFT p95 ms",
    "ITL p95 ms",
    "an hour",
    "per M output",
    "per M tokens",
    "validity",
];

/// Results, one load point a line.
pub(crate) fn items(items: &[CatalogItem]) -> Table {
    let mut table = plain(&COLUMNS);
    for item in items {
        table.add_row(row(item));
    }
    right_align(&mut table, 4..12);
    table
}

/// What a refresh would submit, in order.
pub(crate) fn submissions(plan: &RefreshPlan) -> Table {
    let mut table =
        plain(&["instance type", "model", "precision", "parallel", "points", "why", "hours", "USD"]);
    for (planned, reason, expected) in plan.submissions() {
        let spec = &planned.spec;
        table.add_row([
            spec.instance_type.to_string(),
            spec.model.to_string(),
            spec.quantization.map_or_else(|| "as it comes".to_owned(), |it| it.to_string()),
            spec.tensor_parallel.to_string(),
            spec.load_points.len().to_string(),
            reason.as_str().replace('_', " "),
            format!("{:.2}", expected.hours),
            money(expected.usd.value().copied()),
        ]);
    }
    right_align(&mut table, 3..5);
    right_align(&mut table, 6..8);
    table
}

/// Why there are dashes in the columns of costs, each reason once.
pub(crate) fn missing_costs(items: &[CatalogItem]) -> BTreeSet<&str> {
    items.iter().filter_map(|item| item.costs.instance_per_hour.absent_reason()).collect()
}

fn row(item: &CatalogItem) -> [String; 13] {
    let costs = &item.costs;
    let engine = match &item.engine_version {
        Observed::Value(version) => format!("{} {version}", item.engine.as_str()),
        Observed::Absent(_) => item.engine.as_str().to_owned(),
    };
    let tokens = costs.blended.value().map(|blended| blended.per_million_tokens);
    [
        item.model.to_string(),
        item.instance_type.to_string(),
        engine,
        item.quantization.value().map_or_else(|| "-".to_owned(), ToString::to_string),
        load(item.offered_load),
        rate(item, Metric::RequestsPerS, 2),
        throughput(item),
        latency(item, Latency::Ttft),
        latency(item, Latency::Itl),
        money(costs.instance_per_hour.value().copied()),
        money(costs.per_million_output_tokens.value().copied()),
        money(tokens),
        item.validity.as_str().to_owned(),
    ]
}

fn rate(item: &CatalogItem, metric: Metric, digits: usize) -> String {
    item.metrics.get(&metric).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// With half the width of its 95 % interval.
fn throughput(item: &CatalogItem) -> String {
    let value = rate(item, Metric::OutputTokensPerS, 0);
    let interval = item.intervals.get(&Metric::OutputTokensPerS);
    interval.map_or_else(|| value.clone(), |it| format!("{value} ±{:.0}", (it.high - it.low) / 2.0))
}

/// A dash where too few requests were completed for the percentile.
fn latency(item: &CatalogItem, latency: Latency) -> String {
    let metric = Metric::Latency(latency, Statistic::P95);
    item.metrics.get(&metric).map_or_else(|| "-".to_owned(), |value| milliseconds(*value))
}

/// In the currency of the price; four digits, for a million tokens of a small model cost cents.
pub(crate) fn money(amount: Option<f64>) -> String {
    match amount {
        Some(amount) if amount >= 100.0 => format!("{amount:.1}"),
        Some(amount) if amount >= 1.0 => format!("{amount:.3}"),
        Some(amount) => format!("{amount:.4}"),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn money_shows_what_a_small_model_costs() {
        assert_eq!(
            [Some(123.45), Some(1.2345), Some(0.012_34), None].map(money),
            ["123.5", "1.234", "0.0123", "-"]
        );
    }
}
