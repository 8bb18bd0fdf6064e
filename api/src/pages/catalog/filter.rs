//! Which readings a list shows, as it stands in the address.

use accelbench_core::model::Quantization;
use accelbench_core::result::Origin;
use accelbench_core::slo::Limit;
use serde::{Deserialize, Serialize};

use super::columns::{COLUMNS, Column};
use crate::error::ApiError;
use crate::pricing::PriceParts;
use crate::reading::Reading;

/// The column of a list that nobody sorted.
const FIRST_COLUMN: &str = "cost_per_million_output_tokens";

/// The columns that may be hidden.
pub(super) const CHOSEN: [&str; 12] = [
    "instance_type",
    "quantization",
    "cost_per_million_output_tokens",
    "output_tokens_per_s",
    "requests_per_s",
    "ttft_p50_ms",
    "ttft_p95_ms",
    "itl_p50_ms",
    "e2e_p50_ms",
    "e2e_p95_ms",
    "origin",
    "date",
];

/// What is shown of others unless more is asked for: servers under load. Batches without a server are cheaper and say
/// nothing of latency.
const USUAL_KIND: &str = "online_serving";

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct CatalogFilter {
    /// A part of the model's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accelerator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quantization: Option<String>,
    /// Measured and not simulated, unless simulated ones are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// How others measured; a server under load, unless `any` or another kind is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Limits with commas between them, for instance `ttft_p95_ms<=500`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sort: Option<String>,
    /// `ascending` or `descending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<String>,
    /// Columns that are not shown, with commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hide: Option<String>,
    /// The number of the page, or what the page before ended with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<String>,
    #[serde(flatten)]
    pub(crate) pricing: PriceParts,
}

/// What the database does not look at.
pub(super) struct Wanted {
    search: String,
    kind: String,
    pub(super) limits: Vec<Limit>,
}

impl CatalogFilter {
    /// The rest of the filter, or what is wrong with it.
    pub(super) fn wanted(&self) -> Result<Wanted, ApiError> {
        let limits =
            self.slo.as_deref().unwrap_or_default().split(',').filter(|text| !text.trim().is_empty());
        let limits: Result<Vec<Limit>, _> = limits.map(|text| text.trim().parse()).collect();
        Ok(Wanted {
            search: self.search.as_deref().unwrap_or_default().trim().to_lowercase(),
            kind: self.kind.clone().unwrap_or_else(|| USUAL_KIND.to_owned()),
            limits: limits.map_err(|error| ApiError::unprocessable(error.to_string()))?,
        })
    }

    /// The column that the list is sorted by.
    pub(crate) fn column(&self) -> &'static Column {
        let wanted = self.sort.as_deref().unwrap_or(FIRST_COLUMN);
        COLUMNS.iter().find(|column| column.word == wanted).unwrap_or(&COLUMNS[4])
    }

    pub(crate) fn is_descending(&self) -> bool {
        self.order.as_deref() == Some("descending")
    }

    pub(super) fn page_number(&self) -> usize {
        self.page.as_deref().and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
    }

    /// The address of the same list sorted by a column; by the present one the other way round.
    pub(super) fn sorted_by(&self, path: &str, column: &Column) -> String {
        let is_present = column.word == self.column().word;
        let descending = if is_present { !self.is_descending() } else { column.is_best_high };
        let order = if descending { "descending" } else { "ascending" };
        let sorted = Self {
            sort: Some(column.word.to_owned()),
            order: Some(order.to_owned()),
            page: None,
            ..self.clone()
        };
        sorted.address(path)
    }

    /// Whether a column is shown.
    pub(crate) fn shows(&self, word: &str) -> bool {
        !self.hidden().any(|hidden| hidden == word)
    }

    /// The address of the same list with a column hidden, or shown again.
    pub(super) fn toggled(&self, path: &str, word: &str) -> String {
        let shown = self.shows(word);
        let others = self.hidden().filter(|hidden| *hidden != word);
        let hidden: Vec<&str> = others.chain(shown.then_some(word)).collect();
        Self { hide: (!hidden.is_empty()).then(|| hidden.join(",")), ..self.clone() }.address(path)
    }

    /// The hidden columns that there are.
    fn hidden(&self) -> impl Iterator<Item = &str> {
        let hidden = self.hide.as_deref().unwrap_or_default().split(',').map(str::trim);
        hidden.filter(|word| CHOSEN.contains(word))
    }

    /// The address of another page; of the first one without.
    pub(super) fn on_page(&self, path: &str, page: Option<String>) -> String {
        Self { page, ..self.clone() }.address(path)
    }

    /// The precision, where it is one of ours.
    pub(super) fn quantization(&self) -> Option<Quantization> {
        Quantization::ALL.into_iter().find(|it| Some(it.as_str()) == self.quantization.as_deref())
    }

    fn address(&self, path: &str) -> String {
        let query = serde_urlencoded::to_string(self).unwrap_or_default();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

impl Wanted {
    /// Whether a reading matches. A limit on what was not measured is not kept.
    pub(super) fn admits(&self, reading: &Reading) -> bool {
        let named = reading.model.as_str().to_lowercase().contains(&self.search);
        let keeps = |limit: &Limit| {
            reading.metrics.get(&limit.metric()).is_some_and(|value| *value <= limit.at_most_ms())
        };
        let of_kind = reading.kind.is_none_or(|kind| self.kind == "any" || kind.starts_with(&self.kind));
        named && of_kind && self.limits.iter().all(keeps)
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, CatalogFilter};

    #[test]
    fn a_second_click_turns_the_order_round() {
        let column = |word: &str| COLUMNS.iter().find(|column| column.word == word).unwrap();
        let filter = CatalogFilter { search: Some("a b".to_owned()), ..CatalogFilter::default() };
        let fastest = filter.sorted_by("/catalog", column("output_tokens_per_s"));
        assert_eq!(fastest, "/catalog?search=a+b&sort=output_tokens_per_s&order=descending");
        let dearest = filter.sorted_by("/catalog", column("cost_per_million_output_tokens"));
        assert!(
            dearest.ends_with("order=descending"),
            "it is sorted so already, the cheapest first: {dearest}"
        );
    }

    #[test]
    fn columns_are_hidden_and_shown_again_by_their_address() {
        let all = CatalogFilter { search: Some("a".to_owned()), ..CatalogFilter::default() };
        let hidden = |hide: &str| CatalogFilter { hide: Some(hide.to_owned()), ..all.clone() };
        assert_eq!(all.toggled("/catalog", "date"), "/catalog?search=a&hide=date");
        assert_eq!(hidden("date").toggled("/catalog", "origin"), "/catalog?search=a&hide=date%2Corigin");
        assert_eq!(hidden("date").toggled("/catalog", "date"), "/catalog?search=a");
        assert!(!hidden(" date").shows("date") && hidden("date").shows("origin"));
        assert_eq!(
            hidden("model,<b>").toggled("/catalog", "date"),
            "/catalog?search=a&hide=date",
            "no such columns"
        );
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let filter = CatalogFilter { slo: Some("fast".to_owned()), ..CatalogFilter::default() };
        assert!(filter.wanted().is_err_and(|error| error.detail.contains("`fast` is no limit")));
    }
}
