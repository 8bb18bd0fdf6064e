//! A comparison as a file: CSV and Markdown for people's documents, JSON for programs. Every number stands under its name
//! in the API, with its unit.

use accelbench_core::cost::Costs;
use accelbench_core::metric::Metric;
use accelbench_core::observed::Observed;
use serde_json::{Value, json};

use crate::pricing::PriceList;
use crate::reading::Reading;

/// One line for each load point.
pub(crate) fn csv(columns: &[Reading], prices: &PriceList) -> String {
    let records: Vec<Vec<(String, String)>> = columns.iter().map(|reading| record(reading, prices)).collect();
    let head = records.first().map(|record| line(record.iter().map(|(name, _)| name.as_str())));
    let lines = records.iter().map(|record| line(record.iter().map(|(_, value)| value.as_str())));
    head.into_iter().chain(lines).collect()
}

/// One column for each load point.
pub(crate) fn markdown(columns: &[Reading], prices: &PriceList) -> String {
    let records: Vec<Vec<(String, String)>> = columns.iter().map(|reading| record(reading, prices)).collect();
    let cell = |text: &str| text.replace('|', "\\|").replace(['\r', '\n'], " ");
    let names = records.first().into_iter().flatten().map(|(name, _)| name);
    let rule = format!("|---|{}\n", "---|".repeat(columns.len()));
    let heads: Vec<String> = columns.iter().map(|reading| cell(&reading.setting())).collect();
    let mut text = format!("| |{}|\n{rule}", heads.join("|"));
    for (index, name) in names.enumerate() {
        let values: Vec<String> = records.iter().map(|record| cell(&record[index].1)).collect();
        if values.iter().any(|value| !value.is_empty()) {
            text.extend([format!("|{name}|{}|\n", values.join("|"))]);
        }
    }
    text
}

/// The load points with their costs.
pub(crate) fn json(columns: &[Reading], prices: &PriceList) -> String {
    let points: Vec<Value> = columns.iter().map(|reading| point(reading, &reading.costs(prices))).collect();
    let pricing = &prices.pricing;
    let document = json!({
        "schema": "accelbench.comparison", "schema_version": 1, "region": pricing.region,
        "pricing": pricing.tier, "currency": prices.currency(), "load_points": points,
    });
    format!("{document:#}\n")
}

fn point(reading: &Reading, costs: &Costs) -> Value {
    json!({
        "id": reading.id, "origin": reading.origin, "model": reading.model, "instance_type": reading.instance_type,
        "is_comparable_only": reading.is_comparable_only, "accelerators_used": reading.accelerators_used,
        "engine": reading.engine, "engine_version": reading.engine_version, "quantization": reading.precision,
        "tensor_parallel": reading.tensor_parallel, "offered_load": reading.offered_load,
        "input_tokens_mean": reading.input_tokens_mean, "output_tokens_mean": reading.output_tokens_mean,
        "metrics": reading.metrics, "estimates": reading.estimates, "error_share": reading.error_share,
        "validity": reading.validity, "workload": reading.workload, "date": reading.date, "source": reading.source,
        "costs": costs,
    })
}

/// Every fact and number under its name; empty where it is not known.
fn record(reading: &Reading, prices: &PriceList) -> Vec<(String, String)> {
    let costs = reading.costs(prices);
    let amount =
        |amount: &Observed<f64>| amount.value().map(|amount| format!("{amount:.6}")).unwrap_or_default();
    let facts = [
        ("id", reading.id.clone()),
        ("origin", reading.origin.as_str().to_owned()),
        ("model", reading.model.to_string()),
        ("instance_type", reading.instance_type.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("quantization", reading.precision.clone().unwrap_or_default()),
        ("tensor_parallel", reading.tensor_parallel.map(|it| it.to_string()).unwrap_or_default()),
        ("engine", reading.engine.clone()),
        ("engine_version", reading.engine_version.clone().unwrap_or_default()),
        ("offered_load", reading.offered_load.map(|it| it.to_string()).unwrap_or_default()),
        ("input_tokens_mean", reading.input_tokens_mean.map(|it| it.to_string()).unwrap_or_default()),
        ("output_tokens_mean", reading.output_tokens_mean.map(|it| it.to_string()).unwrap_or_default()),
        ("instance_per_hour", amount(&costs.instance_per_hour)),
        ("per_million_input_tokens", amount(&costs.per_million_input_tokens)),
        ("per_million_output_tokens", amount(&costs.per_million_output_tokens)),
        ("per_request", amount(&costs.per_request)),
        ("currency", prices.currency().to_owned()),
        ("date", reading.date.clone()),
        ("source", reading.source.clone()),
    ];
    let number = |metric: Metric| reading.metrics.get(&metric).map(f64::to_string).unwrap_or_default();
    let metrics = Metric::all().map(|metric| (metric.to_string(), number(metric)));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(metrics).collect()
}

/// A line of CSV. What a spreadsheet would take for a formula is made a text.
fn line<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let quoted = values.map(|value| {
        let text = if value.starts_with(['=', '+', '-', '@', '\t']) && value.parse::<f64>().is_err() {
            format!("'{value}")
        } else {
            value.to_owned()
        };
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_keeps_what_it_holds_and_starts_no_formula() {
        assert_eq!(line(["a", "b,\"c\"", "-1.5", "=1+1"].into_iter()), "a,\"b,\"\"c\"\"\",-1.5,'=1+1\r\n");
    }
}
