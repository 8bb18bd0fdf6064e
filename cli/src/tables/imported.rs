//! What others measured, one point a line.

use accelbench_core::imported::ImportedResult;
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_store::imported::StoredImport;

use comfy_table::Table;

use super::{load, milliseconds, plain, right_align};

const COLUMNS: [&str; 13] = [
    "model",
    "measured on",
    "engine",
    "precision",
    "kind",
    "load",
    "tokens in/out",
    "req/s",
    "output tok/s",
    "TTFT p50 ms",
    "ITL p50 ms",
    "caveats",
    "source",
];

/// Imported results with their sources.
pub(crate) fn results(results: &[StoredImport]) -> Table {
    let mut table = plain(&COLUMNS);
    for StoredImport { result, .. } in results {
        table.add_row(row(result));
    }
    right_align(&mut table, 5..12);
    table
}

fn row(result: &ImportedResult) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(dash);
    let rate = |metric, decimals: usize| {
        result.metrics.get(&metric).map_or_else(dash, |value| format!("{value:.decimals$}"))
    };
    let latency = |latency| {
        let median = result.metrics.get(&Metric::Latency(latency, Statistic::P50));
        median.map_or_else(dash, |value| milliseconds(*value))
    };
    vec![
        result.model.to_string(),
        hardware(result),
        engine(result),
        text(&result.engine.precision),
        result.kind.as_str().to_owned(),
        result.offered_load.map_or_else(dash, load),
        format!("{}/{}", tokens(result.input_tokens_mean), tokens(result.output_tokens_mean)),
        rate(Metric::RequestsPerS, 2),
        rate(Metric::OutputTokensPerS, 0),
        latency(Latency::Ttft),
        latency(Latency::Itl),
        result.caveats.len().to_string(),
        source(result),
    ]
}

/// The instance type where it is one, or else so many of an accelerator.
fn hardware(result: &ImportedResult) -> String {
    let hardware = &result.hardware;
    match (&hardware.instance_type, &hardware.accelerator_name) {
        (Some(instance_type), _) => instance_type.to_string(),
        (None, Some(accelerator)) => {
            let count = hardware.accelerators_used.map(|count| format!("{count} x "));
            format!("{}{accelerator}", count.unwrap_or_default())
        }
        (None, None) => hardware.description.clone().unwrap_or_else(dash),
    }
}

fn engine(result: &ImportedResult) -> String {
    [&result.engine.name, &result.engine.version].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}

fn source(result: &ImportedResult) -> String {
    let date = result.source.date.as_ref().map(|date| format!(" {date}"));
    format!("{}{}", result.source.name, date.unwrap_or_default())
}

fn tokens(mean: Option<f64>) -> String {
    mean.map_or_else(dash, |mean| format!("{mean:.0}"))
}

fn dash() -> String {
    "-".to_owned()
}
