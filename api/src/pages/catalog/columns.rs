//! The columns by which a list of readings can be sorted. What is not known comes last, whichever way.

use std::cmp::Ordering;

use accelbench_core::load::OfferedLoad;

use crate::pricing::PriceList;
use crate::reading::Reading;

/// A column that sorts.
pub(crate) struct Column {
    /// Its word in addresses.
    pub(crate) word: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_number: bool,
    /// Whether a first click sorts from the highest down.
    pub(crate) is_best_high: bool,
}

/// All columns, in the order of the table.
pub(crate) const COLUMNS: [Column; 12] = [
    text("model", "Model"),
    text("instance_type", "Machine"),
    text("quantization", "Precision"),
    number("load", "Load", false),
    number("cost_per_million_output_tokens", "1M output", false),
    number("output_tokens_per_s", "tok/s", true),
    number("requests_per_s", "req/s", true),
    number("ttft_p50_ms", "TTFT p50", false),
    number("ttft_p95_ms", "TTFT p95", false),
    number("itl_p50_ms", "ITL p50", false),
    number("e2e_p50_ms", "E2E p50", false),
    number("e2e_p95_ms", "E2E p95", false),
];

const fn text(word: &'static str, name: &'static str) -> Column {
    Column { word, name, is_number: false, is_best_high: false }
}

const fn number(word: &'static str, name: &'static str, is_best_high: bool) -> Column {
    Column { word, name, is_number: true, is_best_high }
}

/// Sorts readings by a column.
pub(super) fn sort(readings: &mut [Reading], prices: &PriceList, column: &Column, is_descending: bool) {
    if column.is_number {
        readings.sort_by_cached_key(|reading| Key::of(reading, prices, column, is_descending));
    } else {
        readings.sort_by_cached_key(|reading| name(reading, column.word));
        if is_descending {
            readings.reverse();
        }
    }
}

fn name(reading: &Reading, word: &str) -> String {
    match word {
        "model" => reading.model.to_string(),
        "instance_type" => reading.instance_type.as_ref().map(ToString::to_string).unwrap_or_default(),
        _ => reading.precision.clone().unwrap_or_default(),
    }
}

/// A number to sort by.
struct Key(Option<f64>);

impl Key {
    fn of(reading: &Reading, prices: &PriceList, column: &Column, is_descending: bool) -> Self {
        let value = match column.word {
            "load" => reading.offered_load.map(OfferedLoad::amount),
            "cost_per_million_output_tokens" => {
                reading.costs(prices).per_million_output_tokens.value().copied()
            }
            metric => reading.metric(metric),
        };
        Self(value.map(|value| if is_descending { -value } else { value }))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(own), Some(other)) => own.total_cmp(&other),
            (own, other) => other.is_some().cmp(&own.is_some()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn what_is_not_known_comes_last() {
        let mut keys = [Key(None), Key(Some(2.0)), Key(Some(-1.0)), Key(None)];
        keys.sort();
        assert_eq!(keys.map(|key| key.0), [Some(-1.0), Some(2.0), None, None]);
    }
}
