//! How many tokens go in and come out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MAX_TOKENS;

/// Distribution of the input and output lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Lengths {
    /// Every request has the same lengths.
    Fixed {
        /// Tokens of each prompt.
        input_tokens: u32,
        /// Tokens of each answer.
        output_tokens: u32,
    },
    /// Lengths drawn from distributions, input and output apart, by the seed.
    Distributed {
        /// Tokens of a prompt.
        input: LengthDistribution,
        /// Tokens of an answer.
        output: LengthDistribution,
    },
    /// Pairs of lengths drawn from a measured table, by the seed.
    Table {
        /// Which table.
        table: LengthTable,
    },
    /// The prompts or lengths as the dataset holds them; the answer's length is the dataset's or `output_tokens`.
    AsInDataset {
        /// Tokens of an answer where the dataset gives none.
        output_tokens: u32,
    },
}

/// A distribution of lengths, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LengthDistribution {
    /// Every length of a range alike.
    Uniform {
        /// Shortest length.
        min: u32,
        /// Longest length.
        max: u32,
    },
    /// A normal distribution; what lies outside the bounds is drawn anew.
    Normal {
        /// Mean before the bounds.
        mean: u32,
        /// Standard deviation before the bounds.
        std_dev: u32,
        /// Shortest length.
        min: u32,
        /// Longest length.
        max: u32,
    },
    /// A lognormal distribution, as lengths of texts mostly have; what lies outside the bounds is drawn anew.
    Lognormal {
        /// Mean before the bounds.
        mean: u32,
        /// Standard deviation before the bounds.
        std_dev: u32,
        /// Shortest length.
        min: u32,
        /// Longest length.
        max: u32,
    },
}

/// Mean input and output of the ShareGPT table, in tokens.
const SHAREGPT_MEANS: (f64, f64) = (224.0, 206.0);

impl Lengths {
    /// Mean input and output, in tokens; nothing where the dataset alone knows.
    #[must_use]
    pub fn means(self) -> Option<(f64, f64)> {
        match self {
            Self::Fixed { input_tokens, output_tokens } => {
                Some((f64::from(input_tokens), f64::from(output_tokens)))
            }
            Self::Distributed { input, output } => Some((input.mean(), output.mean())),
            Self::Table { table: LengthTable::Sharegpt } => Some(SHAREGPT_MEANS),
            Self::AsInDataset { .. } => None,
        }
    }
}

impl LengthDistribution {
    /// The mean, which bounds may shift a little.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Uniform { min, max } => f64::midpoint(f64::from(min), f64::from(max)),
            Self::Normal { mean, min, max, .. } | Self::Lognormal { mean, min, max, .. } => {
                f64::from(mean).clamp(f64::from(min), f64::from(max.max(min)))
            }
        }
    }

    /// Shortest and longest length.
    #[must_use]
    pub fn bounds(self) -> (u32, u32) {
        match self {
            Self::Uniform { min, max } | Self::Normal { min, max, .. } | Self::Lognormal { min, max, .. } => {
                (min, max)
            }
        }
    }

    /// Whether lengths can be drawn: bounds in order from `least` on, and a mean between them.
    pub(super) fn is_possible(self, least: u32) -> bool {
        let (min, max) = self.bounds();
        let mean = match self {
            Self::Uniform { min, .. } => min,
            Self::Normal { mean, .. } | Self::Lognormal { mean, .. } => mean,
        };
        (least..=MAX_TOKENS).contains(&min)
            && (min..=MAX_TOKENS).contains(&max)
            && (min..=max).contains(&mean)
    }
}

/// A measured table of pairs of lengths that comes with AccelBench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LengthTable {
    /// First two turns of the ShareGPT conversations: 224 tokens in and 206 out on average.
    Sharegpt,
}

impl Default for Lengths {
    fn default() -> Self {
        Self::Table { table: LengthTable::Sharegpt }
    }
}

impl LengthTable {
    /// The word used in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sharegpt => "sharegpt",
        }
    }
}
