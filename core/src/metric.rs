//! Names of the numbers of a load point: the same words in JSON, SQL, HTML and on the command line.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::text_in_json;
use crate::stats::Summary;

/// A number of a load point, written for instance `ttft_p99_ms` or `output_tokens_per_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum Metric {
    /// Output tokens per second of all requests together.
    OutputTokensPerS,
    /// Input tokens per second of all requests together.
    InputTokensPerS,
    /// Completed requests per second.
    RequestsPerS,
    /// A statistic of a latency, in milliseconds.
    Latency(Latency, Statistic),
}

/// A latency of single requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Latency {
    /// Time to first token.
    Ttft,
    /// Inter-token latency: each gap between successive tokens.
    Itl,
    /// Time per output token: (E2E - TTFT) / (output tokens - 1).
    Tpot,
    /// End-to-end latency.
    E2e,
}

/// How a latency is summarised over requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// 50th percentile.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
}

/// A word that names no metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no metric; give output_tokens_per_s, input_tokens_per_s, requests_per_s or, for instance, ttft_p99_ms: \
     ttft, itl, tpot or e2e with mean, p50, p90, p95 or p99"
)]
pub struct UnknownMetric(String);

impl Metric {
    /// Every metric.
    pub fn all() -> impl Iterator<Item = Self> {
        let latency =
            |latency| Statistic::ALL.into_iter().map(move |statistic| Self::Latency(latency, statistic));
        [Self::OutputTokensPerS, Self::InputTokensPerS, Self::RequestsPerS]
            .into_iter()
            .chain(Latency::ALL.into_iter().flat_map(latency))
    }
}

impl Latency {
    /// Every latency.
    pub const ALL: [Self; 4] = [Self::Ttft, Self::Itl, Self::Tpot, Self::E2e];

    /// The word in names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::Itl => "itl",
            Self::Tpot => "tpot",
            Self::E2e => "e2e",
        }
    }
}

impl Statistic {
    /// Every statistic.
    pub const ALL: [Self; 5] = [Self::Mean, Self::P50, Self::P90, Self::P95, Self::P99];

    /// The word in names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// The percentile; `None` for the mean.
    #[must_use]
    pub fn percent(self) -> Option<u8> {
        match self {
            Self::Mean => None,
            Self::P50 => Some(50),
            Self::P90 => Some(90),
            Self::P95 => Some(95),
            Self::P99 => Some(99),
        }
    }

    /// Requests without which the statistic says nothing: ten of them lie beyond a percentile.
    #[must_use]
    pub fn least_requests(self) -> u64 {
        match self {
            Self::Mean | Self::P50 => 20,
            Self::P90 => 100,
            Self::P95 => 200,
            Self::P99 => 1000,
        }
    }

    /// Its value in a summary.
    #[must_use]
    pub fn of(self, summary: &Summary) -> f64 {
        match self {
            Self::Mean => summary.mean,
            Self::P50 => summary.p50,
            Self::P90 => summary.p90,
            Self::P95 => summary.p95,
            Self::P99 => summary.p99,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputTokensPerS => formatter.write_str("output_tokens_per_s"),
            Self::InputTokensPerS => formatter.write_str("input_tokens_per_s"),
            Self::RequestsPerS => formatter.write_str("requests_per_s"),
            Self::Latency(latency, statistic) => {
                write!(formatter, "{}_{}_ms", latency.as_str(), statistic.as_str())
            }
        }
    }
}

impl std::str::FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(text: &str) -> Result<Self, UnknownMetric> {
        Self::all().find(|metric| metric.to_string() == text).ok_or_else(|| UnknownMetric(text.to_owned()))
    }
}

text_in_json!(Metric, UnknownMetric);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Latency, Metric, Statistic};

    #[test]
    fn names_lead_back_to_their_metric() {
        for metric in Metric::all() {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        assert_eq!(Metric::all().count(), 23);
        assert!("ttft_p98_ms".parse::<Metric>().unwrap_err().to_string().contains("ttft_p99_ms"));
    }

    #[test]
    fn metrics_are_keys_in_json() {
        let map = BTreeMap::from([(Metric::Latency(Latency::Itl, Statistic::P99), 2.0)]);
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"itl_p99_ms":2.0}"#);
    }
}
