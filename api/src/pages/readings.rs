//! Readings as a table, with their costs: the same on the pages of models, instance types and the lists.

use std::collections::BTreeMap;

use accelbench_core::cost::Costs;

use crate::pricing::PriceList;
use crate::reading::Reading;

/// Rows of a table that is not a list of its own.
const MOST_ROWS: usize = 30;

/// Rows with what each costs.
pub(crate) struct Readings {
    pub(crate) rows: Vec<(Reading, Costs)>,
    /// How many there are beyond the rows.
    pub(crate) more: usize,
    pub(crate) currency: String,
}

impl Readings {
    /// The cheapest per output token first, those without a cost last.
    pub(crate) fn cheapest(readings: Vec<Reading>, prices: &PriceList) -> Self {
        let mut readings = Self::in_order(readings, prices);
        readings.rows.sort_by(|(_, a), (_, b)| {
            let cost =
                |costs: &Costs| costs.per_million_output_tokens.value().copied().unwrap_or(f64::INFINITY);
            cost(a).total_cmp(&cost(b))
        });
        readings.more = readings.rows.len().saturating_sub(MOST_ROWS);
        readings.rows.truncate(MOST_ROWS);
        readings
    }

    /// The rows in the order in which they come.
    pub(crate) fn in_order(readings: Vec<Reading>, prices: &PriceList) -> Self {
        let rows = readings.into_iter().map(|reading| (reading.costs(prices), reading));
        Self {
            rows: rows.map(|(costs, reading)| (reading, costs)).collect(),
            more: 0,
            currency: prices.currency().to_owned(),
        }
    }
}

/// The workloads of readings with how many each has, most first.
pub(crate) fn by_workload(readings: &[Reading]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reading in readings {
        *counts.entry(&reading.workload).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> =
        counts.into_iter().map(|(workload, count)| (workload.to_owned(), count)).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
