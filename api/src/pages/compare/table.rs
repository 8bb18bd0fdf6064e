//! The table of a comparison: groups of rows with a cell for each load point, and the facts in which they differ.

use accelbench_core::comparison::{Better, Cell, Entry, compare};
use accelbench_core::cost::{Costs, monthly_projection};
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::metric::Metric;
use accelbench_core::observed::Observed;
use accelbench_core::validity::Outcome;

use crate::html::amounts::sum;
use crate::html::{grouped, latency};
use crate::pricing::PriceList;
use crate::reading::Reading;

/// Rows under one heading.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// A number of every load point.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) cells: Vec<Option<Cell>>,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Money,
    Rate,
    Milliseconds,
}

/// A fact of every load point.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<String>,
}

impl Unit {
    /// The number in its unit.
    pub(crate) fn write(self, value: f64, currency: &str) -> String {
        match self {
            Self::Money => sum(value, currency),
            Self::Rate => grouped(value),
            Self::Milliseconds => latency(value),
        }
    }
}

impl Fact {
    /// Whether the load points differ in it.
    pub(crate) fn differs(&self) -> bool {
        self.values.windows(2).any(|pair| pair[0] != pair[1])
    }
}

/// Each load point with why it is not ranked, if so: ranks are of what was asked the same as the first.
pub(super) fn unlike(columns: &[Reading]) -> Vec<(Reading, Option<String>)> {
    columns.iter().map(|reading| (reading.clone(), reason(columns, reading))).collect()
}

fn reason(columns: &[Reading], reading: &Reading) -> Option<String> {
    if reading.validity == Some(Outcome::Fail) {
        return Some("it failed its validity checks".to_owned());
    }
    let first = columns.first()?;
    if reading.origin != first.origin {
        let (own, other) = (reading.origin.as_str(), first.origin.as_str());
        return Some(format!("it is {own}, the first is {other}"));
    }
    (!reading.was_asked_like(first)).then(|| "its workload is another than the first one's".to_owned())
}

/// The numbers.
pub(super) fn groups(columns: &[Reading], prices: &PriceList, requests_per_s: f64) -> Vec<Group> {
    let metrics = |names: &[&str], unit| -> Vec<Row> {
        names.iter().filter_map(|name| metric(columns, name, unit)).collect()
    };
    let latencies = |latency: &str| -> Vec<Row> {
        let names = ["mean", "p50", "p90", "p95", "p99"].map(|it| format!("{latency}_{it}_ms"));
        names.iter().filter_map(|name| metric(columns, name, Unit::Milliseconds)).collect()
    };
    let throughput = ["output_tokens_per_s", "input_tokens_per_s", "requests_per_s"];
    let groups = [
        Group { name: "Cost", rows: money(columns, prices, requests_per_s) },
        Group { name: "Throughput", rows: metrics(&throughput, Unit::Rate) },
        Group { name: "Time to first token (TTFT)", rows: latencies("ttft") },
        Group { name: "Inter-token latency (ITL)", rows: latencies("itl") },
        Group { name: "Time per output token (TPOT)", rows: latencies("tpot") },
        Group { name: "End-to-end latency (E2E)", rows: latencies("e2e") },
    ];
    groups.into_iter().filter(|group| !group.rows.is_empty()).collect()
}

fn metric(columns: &[Reading], name: &str, unit: Unit) -> Option<Row> {
    let metric: Metric = name.parse().ok()?;
    let entry = |reading: &Reading| {
        Some(Entry {
            value: *reading.metrics.get(&metric)?,
            estimate: reading.estimates.get(&metric).copied(),
            is_ranked: reason(columns, reading).is_none(),
        })
    };
    let better = if unit == Unit::Rate { Better::Higher } else { Better::Lower };
    let entries: Vec<Option<Entry>> = columns.iter().map(entry).collect();
    row(name.trim_end_matches("_ms").replace('_', " "), unit, &entries, better)
}

fn money(columns: &[Reading], prices: &PriceList, requests_per_s: f64) -> Vec<Row> {
    let of = |name: String, cost: &dyn Fn(&Reading, &Costs) -> Observed<f64>| {
        let entry = |reading: &Reading| {
            let value = *cost(reading, &reading.costs(prices)).value()?;
            Some(Entry { value, estimate: None, is_ranked: reason(columns, reading).is_none() })
        };
        let entries: Vec<Option<Entry>> = columns.iter().map(entry).collect();
        row(name, Unit::Money, &entries, Better::Lower)
    };
    let month = |reading: &Reading, _: &Costs| month(reading, prices, requests_per_s);
    let rows = [
        of("1M output tokens".to_owned(), &|_, costs| costs.per_million_output_tokens.clone()),
        of("1M input tokens".to_owned(), &|_, costs| costs.per_million_input_tokens.clone()),
        of("a request".to_owned(), &|_, costs| costs.per_request.clone()),
        of("an hour of an instance".to_owned(), &|_, costs| costs.instance_per_hour.clone()),
        of(format!("a month at {} requests/s", grouped(requests_per_s)), &month),
    ];
    rows.into_iter().flatten().collect()
}

/// A month of as many instances as bear the rate at this load point.
fn month(reading: &Reading, prices: &PriceList, requests_per_s: f64) -> Observed<f64> {
    let price = |instance_type: &InstanceTypeName| prices.of(instance_type);
    let (Some(instance_type), Some(bears)) = (&reading.instance_type, reading.metric("requests_per_s"))
    else {
        return Observed::absent("no rate on an instance type was measured");
    };
    match monthly_projection(&price(instance_type), bears, requests_per_s) {
        Ok(projection) => projection.per_month,
        Err(refused) => Observed::absent(refused.to_string()),
    }
}

fn row(name: String, unit: Unit, entries: &[Option<Entry>], better: Better) -> Option<Row> {
    let is_known = entries.iter().any(Option::is_some);
    is_known.then(|| Row { name, unit, cells: compare(entries, better) })
}

/// What was measured, on what and by whom.
pub(super) fn facts(columns: &[Reading]) -> Vec<Fact> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let number = |number: Option<f64>| number.map_or_else(|| "–".to_owned(), grouped);
    let fact =
        |name, of: &dyn Fn(&Reading) -> String| Fact { name, values: columns.iter().map(of).collect() };
    vec![
        fact("Model", &|it| it.model.to_string()),
        fact("Instance type", &|it| {
            it.instance_type.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)
        }),
        fact("Accelerators used", &|it| {
            it.accelerators_used.map_or_else(|| "–".to_owned(), |n| n.to_string())
        }),
        fact("Precision", &|it| text(&it.precision)),
        fact("Tensor parallel", &|it| it.tensor_parallel.map_or_else(|| "–".to_owned(), |n| n.to_string())),
        fact("Engine", &|it| format!("{} {}", it.engine, it.engine_version.clone().unwrap_or_default())),
        fact("Load", &|it| it.offered_load.map_or_else(|| "–".to_owned(), |load| load.to_string())),
        fact("Input tokens, mean", &|it| number(it.input_tokens_mean)),
        fact("Output tokens, mean", &|it| number(it.output_tokens_mean)),
        fact("Requests", &|it| it.requests_completed.map_or_else(|| "–".to_owned(), |n| n.to_string())),
        fact("Date", &|it| it.date.clone()),
        fact("Measured by", &|it| it.source.clone()),
    ]
}
