//! Tables for people. In a pipe they are neither coloured nor cut.

use std::fmt::Write as _;
use std::iter;

use accelbench_core::load::{LoadReport, OfferedLoad};
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::model::Model;
use accelbench_core::observed::Observed;
use accelbench_core::price::Payment;
use accelbench_core::result::BenchmarkResult;
use accelbench_core::run::Run;
use accelbench_core::validity::{Outcome, overall};
use accelbench_store::prices::KnownPrice;
use chrono::Utc;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::output::word;

pub(crate) mod catalog;
pub(crate) mod comparison;
pub(crate) mod cost;
pub(crate) mod findings;
pub(crate) mod imported;
pub(crate) mod reference;

/// The columns of a report's numbers.
const NUMBERS: [&str; 11] = [
    "req/s",
    "output tok/s",
    "tok/s per request",
    "TTFT p50 ms",
    "TTFT p95 ms",
    "ITL p50 ms",
    "ITL p95 ms",
    "E2E p95 ms",
    "requests",
    "errors",
    "validity",
];

/// Results, one load point a line.
pub(crate) fn results(results: &[BenchmarkResult]) -> Table {
    let header = ["result", "model", "instance type", "engine", "origin", "load"];
    let mut table = plain(&[header.as_slice(), &NUMBERS].concat());
    for result in results {
        let provenance = &result.provenance;
        let names = [
            result.id.0.to_string(),
            provenance.model.to_string(),
            provenance.instance_type.to_string(),
            provenance.engine.to_string(),
            provenance.origin.as_str().to_owned(),
            load(result.offered_load),
        ];
        table.add_row(names.into_iter().map(Cell::new).chain(numbers(&result.report)));
    }
    right_align(&mut table, 5..16);
    table
}

/// Reports, one load point a line.
pub(crate) fn reports(reports: &[LoadReport]) -> Table {
    let mut table = plain(&[["load"].as_slice(), &NUMBERS].concat());
    for report in reports {
        table.add_row(iter::once(Cell::new(load(report.offered_load))).chain(numbers(report)));
    }
    right_align(&mut table, 0..11);
    table
}

fn numbers(report: &LoadReport) -> impl Iterator<Item = Cell> {
    let texts = [
        format!("{:.2}", report.requests_per_s),
        uncertain(report, Metric::OutputTokensPerS),
        format!("{:.1}", report.request_output_tokens_per_s.p50),
        latency(report, Latency::Ttft, Statistic::P50),
        latency(report, Latency::Ttft, Statistic::P95),
        latency(report, Latency::Itl, Statistic::P50),
        latency(report, Latency::Itl, Statistic::P95),
        latency(report, Latency::E2e, Statistic::P95),
        report.requests_completed.to_string(),
        format!("{:.1} %", 100.0 * report.error_share()),
    ];
    texts.into_iter().map(Cell::new).chain([word(overall(&report.checks).as_str())])
}

/// A rate and half the width of its 95 % interval.
fn uncertain(report: &LoadReport, metric: Metric) -> String {
    let value = report.value(metric);
    report
        .estimates
        .get(&metric)
        .map_or_else(|| format!("{value:.0}"), |estimate| format!("{value:.0} ±{:.0}", estimate.half_width()))
}

/// A dash where too few requests were completed for the percentile.
fn latency(report: &LoadReport, latency: Latency, statistic: Statistic) -> String {
    if report.supports(statistic) {
        milliseconds(statistic.of(report.latencies(latency)))
    } else {
        "-".to_owned()
    }
}

/// The reservations that stand against the numbers, in words.
pub(crate) fn reservations<'a>(reports: impl IntoIterator<Item = &'a LoadReport>) -> String {
    let mut text = String::new();
    for report in reports {
        for check in report.checks.iter().filter(|check| check.outcome != Outcome::Pass) {
            let load = report.offered_load;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {load}: {} {}: {}", check.outcome.as_str(), check.name, check.sentence);
        }
    }
    text
}

/// Runs, one a line.
pub(crate) fn runs(runs: &[Run]) -> Table {
    let mut table = plain(&["run", "model", "instance type", "platform", "phase", "verdict", "age", "by"]);
    for run in runs {
        let verdict = run.phase.verdict().map_or("-", |verdict| verdict.as_str());
        table.add_row(
            [
                run.id.to_string(),
                run.spec.model.to_string(),
                run.spec.instance_type.to_string(),
                run.spec.platform.as_str().to_owned(),
                run.phase.as_str().to_owned(),
                verdict.to_owned(),
                age((Utc::now() - run.created_at).num_seconds()),
                run.submitted_by.clone().unwrap_or_else(|| "-".to_owned()),
            ]
            .map(|text| if text == verdict { word(verdict) } else { Cell::new(text) }),
        );
    }
    right_align(&mut table, 6..7);
    table
}

/// Models, one a line.
pub(crate) fn models(models: &[Model]) -> Table {
    let mut table = plain(&["model", "family", "params 10^9", "active 10^9", "context", "gated", "commit"]);
    let billions = |count: Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.1}"));
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for model in models {
        table.add_row(vec![
            model.model.to_string(),
            text(model.family.clone()),
            billions(model.params_total_b),
            billions(model.params_active_b),
            text(model.max_context_tokens.map(|tokens| tokens.to_string())),
            text(model.gated.map(|gated| if gated { "yes" } else { "no" }.to_owned())),
            text(model.revision.as_ref().map(|revision| revision.as_str().chars().take(10).collect())),
        ]);
    }
    right_align(&mut table, 2..5);
    table
}

/// Prices, one tier a line.
pub(crate) fn prices(prices: &[KnownPrice]) -> Table {
    let mut table =
        plain(&["instance type", "region", "tier", "payment", "an hour", "upfront", "known for", "source"]);
    for KnownPrice { price, confirmed_at } in prices {
        let payment = price.tier.payment().map_or("-", Payment::as_str).to_owned();
        let (per_hour, upfront) = match &price.price {
            Observed::Value(it) => {
                (format!("{:.4} {}", it.per_hour, price.currency), format!("{:.0}", it.upfront))
            }
            Observed::Absent(reason) => (reason.clone(), "-".to_owned()),
        };
        table.add_row(vec![
            price.instance_type.to_string(),
            price.region.clone(),
            price.tier.as_str().to_owned(),
            payment,
            per_hour,
            upfront,
            age((Utc::now() - *confirmed_at).num_seconds()),
            price.source.clone(),
        ]);
    }
    right_align(&mut table, 4..7);
    table
}

/// Simultaneous requests, or requests a second.
pub(crate) fn load(load: OfferedLoad) -> String {
    match load {
        OfferedLoad::Concurrency(requests) => {
            format!("{requests} stream{}", if requests.get() == 1 { "" } else { "s" })
        }
        OfferedLoad::RequestRate(rate) => format!("{}/s {}", rate.per_s, rate.arrivals.as_str()),
        OfferedLoad::Trace(replay) => format!("trace x{}", replay.speed),
    }
}

pub(crate) fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.to_vec());
    table
}

pub(crate) fn right_align(table: &mut Table, columns: std::ops::Range<usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

pub(crate) fn milliseconds(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

pub(crate) fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{age, milliseconds};

    #[test]
    fn numbers_keep_three_digits_or_so() {
        assert_eq!([0.5, 12.34, 1234.5].map(milliseconds), ["0.50", "12.3", "1234"]);
        assert_eq!([-3, 59, 3599, 90_000, 200_000].map(age), ["0 s", "59 s", "59 min", "25 h", "2 d"]);
    }
}
