//! Numbers side by side, with what can be said of them.

use accelbench_core::comparison::{Cell as Compared, Standing};
use accelbench_core::metric::Metric;
use comfy_table::{Cell, Table};

use super::{load, milliseconds, plain, right_align};
use crate::commands::compare::Group;
use crate::commands::run::Pair;
use crate::output::word;

/// Then and now, one number a line.
pub(crate) fn pairs(pairs: &[Pair]) -> Table {
    let mut table = plain(&["load", "number", "before", "now", "change", "95 % interval", "verdict"]);
    for pair in pairs {
        let change = match pair.before {
            0.0 => "-".to_owned(),
            before => format!("{:+.1} %", 100.0 * (pair.after - before) / before),
        };
        let (interval, verdict) = match pair.difference {
            Some(it) => (format!("{:+.2} to {:+.2}", it.low, it.high), it.verdict.as_str()),
            None => ("-".to_owned(), "too few requests to say"),
        };
        let (before, after) = (milliseconds(pair.before), milliseconds(pair.after));
        let row =
            [pair.load.clone(), pair.metric.to_string(), before, after, change, interval, verdict.to_owned()];
        table.add_row(row);
    }
    right_align(&mut table, 2..6);
    table
}

/// Results side by side, one a line, the groups of equal load one after another.
pub(crate) fn groups(groups: &[Group], metrics: &[Metric]) -> Table {
    let mut head: Vec<String> =
        ["load", "model", "instance type", "engine", "precision", "origin"].map(str::to_owned).to_vec();
    for metric in metrics {
        head.extend([metric.to_string(), String::new()]);
    }
    head.extend(["per M output".to_owned(), String::new(), "validity".to_owned()]);
    let mut table = plain(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for column in groups.iter().flat_map(|group| &group.columns) {
        let mut row: Vec<Cell> = [
            load(column.offered_load),
            column.model.to_string(),
            column.instance_type.to_string(),
            column.engine.clone(),
            column.quantization.clone().unwrap_or_else(|| "-".to_owned()),
            column.origin.as_str().to_owned(),
        ]
        .map(Cell::new)
        .to_vec();
        for metric in metrics {
            let [value, standing] = number(column.numbers.get(&metric.to_string()));
            row.extend([value, standing]);
        }
        row.extend(number(column.numbers.get("cost_per_million_output_tokens")));
        row.push(word(column.validity.as_str()));
        table.add_row(row);
    }
    for index in 0..=metrics.len() {
        right_align(&mut table, 6 + 2 * index..7 + 2 * index);
    }
    table
}

fn number(compared: Option<&Compared>) -> [Cell; 2] {
    let Some(compared) = compared else { return [Cell::new("-"), Cell::new("")] };
    let value = milliseconds(compared.value);
    let value = compared.interval.map_or_else(
        || value.clone(),
        |(low, high)| format!("{value} ±{}", milliseconds((high - low) / 2.0)),
    );
    let standing = match (compared.standing, compared.ratio) {
        (Standing::Best, _) => word("best"),
        (Standing::NoClearDifference, _) => Cell::new("≈ best"),
        (Standing::Behind, Some(ratio)) => Cell::new(format!("x{ratio:.2}")),
        (Standing::Behind, None) => Cell::new("behind"),
        (Standing::Unranked, _) => Cell::new(""),
    };
    [Cell::new(value), standing]
}
