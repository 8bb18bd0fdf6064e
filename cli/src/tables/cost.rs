//! Costs for people: one line a cost, and why one is not known.

use accelbench_core::observed::Observed;
use comfy_table::Table;

use super::catalog::money;
use super::{plain, right_align};
use crate::commands::cost::Reckoned;

/// One load a line.
pub(crate) fn reckoned(reckoned: &[Reckoned]) -> Table {
    let mut table = plain(&[
        "load",
        "an hour",
        "per M input",
        "per M output",
        "per M tokens, hour shared",
        "per request",
        "instances",
        "a month",
    ]);
    for it in reckoned {
        let costs = &it.costs;
        let tokens = costs.blended.value().map(|blended| blended.per_million_tokens);
        let month = it.month.as_ref();
        table.add_row([
            it.load.clone().unwrap_or_else(|| "-".to_owned()),
            amount(&costs.instance_per_hour),
            amount(&costs.per_million_input_tokens),
            amount(&costs.per_million_output_tokens),
            money(tokens),
            amount(&costs.per_request),
            month.map_or_else(|| "-".to_owned(), |month| month.replicas.to_string()),
            month.map_or_else(|| "-".to_owned(), |month| amount(&month.per_month)),
        ]);
    }
    right_align(&mut table, 1..8);
    table
}

fn amount(amount: &Observed<f64>) -> String {
    match amount {
        Observed::Value(amount) if *amount < 0.001 => format!("{amount:.7}"),
        amount => money(amount.value().copied()),
    }
}
