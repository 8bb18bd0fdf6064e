//! What the catalog may be ordered by.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::Metric;
use crate::model::text_in_json;

/// An order of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// What is compared.
    pub key: SortKey,
    /// Which end comes first.
    pub direction: Direction,
}

/// What results are compared by, written for instance `recorded_at`, `ttft_p95_ms` or `cost_per_million_output_tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum SortKey {
    /// When they were recorded.
    RecordedAt,
    /// One of their numbers.
    Metric(Metric),
    /// What it costs.
    Cost(CostKind),
}

/// A cost that results can be ordered by: one of [`crate::cost::Costs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CostKind {
    /// An hour of the instance.
    InstancePerHour,
    /// A million input tokens that the whole hour is charged to.
    PerMillionInputTokens,
    /// A million output tokens that the whole hour is charged to.
    PerMillionOutputTokens,
    /// A million tokens of either kind, in the mix that was measured.
    PerMillionTokens,
    /// One request.
    PerRequest,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The smallest, or the oldest.
    Ascending,
    /// The greatest, or the newest.
    Descending,
}

/// A word that names nothing to order by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("results cannot be sorted by `{word}`; give one of {}", allowed())]
pub struct UnknownSortKey {
    word: String,
}

/// A word that names no direction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no direction; give ascending or descending")]
pub struct UnknownDirection(String);

impl SortKey {
    /// Everything that results can be ordered by.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::RecordedAt]
            .into_iter()
            .chain(Metric::all().map(Self::Metric))
            .chain(CostKind::ALL.into_iter().map(Self::Cost))
    }

    /// The direction that a person expects: the newest, the fastest and the cheapest first.
    #[must_use]
    pub fn usual_direction(self) -> Direction {
        match self {
            Self::RecordedAt
            | Self::Metric(Metric::OutputTokensPerS | Metric::InputTokensPerS | Metric::RequestsPerS) => {
                Direction::Descending
            }
            Self::Metric(Metric::Latency(..)) | Self::Cost(_) => Direction::Ascending,
        }
    }
}

impl CostKind {
    /// Every cost.
    pub const ALL: [Self; 5] = [
        Self::InstancePerHour,
        Self::PerMillionInputTokens,
        Self::PerMillionOutputTokens,
        Self::PerMillionTokens,
        Self::PerRequest,
    ];

    /// How it is computed, for a person; [`crate::cost`] does it.
    #[must_use]
    pub fn formula(self) -> &'static str {
        match self {
            Self::InstancePerHour => "price per hour x discount",
            Self::PerMillionInputTokens => {
                "price per hour / input tokens per second / 3600 x 1,000,000: the whole hour is charged to the input"
            }
            Self::PerMillionOutputTokens => {
                "price per hour / output tokens per second / 3600 x 1,000,000: the whole hour is charged to the output"
            }
            Self::PerMillionTokens => {
                "price per hour / (input + output tokens per second) / 3600 x 1,000,000: of either kind, as measured"
            }
            Self::PerRequest => "price per hour / requests per second / 3600",
        }
    }

    /// The word in JSON, URLs and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InstancePerHour => "instance_per_hour",
            Self::PerMillionInputTokens => "cost_per_million_input_tokens",
            Self::PerMillionOutputTokens => "cost_per_million_output_tokens",
            Self::PerMillionTokens => "cost_per_million_tokens",
            Self::PerRequest => "cost_per_request",
        }
    }
}

impl Direction {
    /// The word in URLs and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl FromStr for Direction {
    type Err = UnknownDirection;

    fn from_str(text: &str) -> Result<Self, UnknownDirection> {
        [Self::Ascending, Self::Descending]
            .into_iter()
            .find(|direction| direction.as_str() == text)
            .ok_or_else(|| UnknownDirection(text.to_owned()))
    }
}

impl Order {
    /// By a key, in the direction that a person expects.
    #[must_use]
    pub fn by(key: SortKey) -> Self {
        Self { key, direction: key.usual_direction() }
    }
}

impl Default for Order {
    /// The newest first.
    fn default() -> Self {
        Self::by(SortKey::RecordedAt)
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordedAt => formatter.write_str("recorded_at"),
            Self::Metric(metric) => metric.fmt(formatter),
            Self::Cost(cost) => formatter.write_str(cost.as_str()),
        }
    }
}

impl FromStr for SortKey {
    type Err = UnknownSortKey;

    fn from_str(text: &str) -> Result<Self, UnknownSortKey> {
        Self::all()
            .find(|key| key.to_string() == text)
            .ok_or_else(|| UnknownSortKey { word: text.to_owned() })
    }
}

text_in_json!(SortKey, UnknownSortKey);

fn allowed() -> String {
    let words: Vec<String> = SortKey::all().map(|key| key.to_string()).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{CostKind, Direction, Order, SortKey};

    #[test]
    fn keys_are_written_as_they_are_read() {
        for key in SortKey::all() {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert_eq!(SortKey::all().count(), 29);
        let refusal = "price".parse::<SortKey>().unwrap_err().to_string();
        assert!(refusal.contains("ttft_p95_ms") && refusal.contains("cost_per_million_tokens"), "{refusal}");
    }

    #[test]
    fn the_best_comes_first_unless_asked_otherwise() {
        for (key, direction) in [
            ("recorded_at", Direction::Descending),
            ("output_tokens_per_s", Direction::Descending),
            ("ttft_p95_ms", Direction::Ascending),
            ("cost_per_request", Direction::Ascending),
        ] {
            assert_eq!(Order::by(key.parse().unwrap()).direction, direction, "{key}");
        }
        assert!("up".parse::<Direction>().unwrap_err().to_string().contains("ascending or descending"));
        assert_eq!(SortKey::Cost(CostKind::InstancePerHour).to_string(), "instance_per_hour");
    }
}
