//! The workload of a run: which prompts, how long in and out, when a request ends, and the seed that makes it
//! repeatable. The offered load (how many at once) is not part of it: see [`crate::load`].

use serde::{Deserialize, Serialize};

use crate::dataset::{DatasetName, Sha256Hex};

/// Most input or output tokens of one request.
pub const MAX_TOKENS: u32 = 131_072;

/// What each request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Where the prompts' text comes from.
    #[serde(default = "DatasetName::standard")]
    pub dataset: DatasetName,
    /// How many tokens go in and come out.
    #[serde(default)]
    pub lengths: Lengths,
    /// When a request ends.
    #[serde(default)]
    pub eos: EosPolicy,
    /// Seed of every random choice: the same seed gives the same lengths and texts in the same order. Only the few
    /// characters that a prompt begins with differ from run to run, so that no prefix cache can answer.
    #[serde(default)]
    pub seed: u64,
}

/// Distribution of the input and output lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Lengths {
    /// Every request has the same lengths.
    Fixed {
        /// Tokens of each prompt.
        input_tokens: u32,
        /// Tokens of each answer.
        output_tokens: u32,
    },
    /// Pairs of lengths drawn from a measured table, by the seed.
    Table {
        /// Which table.
        table: LengthTable,
    },
    /// The prompts as the dataset holds them; the answer's length is the dataset's or `output_tokens`.
    AsInDataset {
        /// Tokens of an answer where the dataset gives none.
        output_tokens: u32,
    },
}

/// A measured table of pairs of lengths that comes with AccelBench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthTable {
    /// First two turns of the ShareGPT conversations: 224 tokens in and 206 out on average.
    Sharegpt,
}

/// When a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EosPolicy {
    /// The engine goes on to the asked length: every request does the same work, so that results compare.
    #[default]
    Ignore,
    /// The engine stops where the model does; lengths are upper limits.
    Respect,
}

/// Why a workload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWorkload {
    /// The input length is out of range.
    #[error("input_tokens is {0}; it must be 1 to {MAX_TOKENS}")]
    InputTokens(u32),
    /// The output length is out of range: one token has no inter-token latency.
    #[error("output_tokens is {0}; it must be 2 to {MAX_TOKENS}, since inter-token latency needs two tokens")]
    OutputTokens(u32),
    /// Prompt and answer do not fit into the model's context.
    #[error(
        "{input_tokens} input and {output_tokens} output tokens exceed the context of {max_context_tokens} tokens of {model}"
    )]
    Context {
        /// Tokens of the prompt.
        input_tokens: u32,
        /// Tokens of the answer.
        output_tokens: u32,
        /// Longest context of the model.
        max_context_tokens: u32,
        /// The model.
        model: String,
    },
}

impl Default for Lengths {
    fn default() -> Self {
        Self::Table { table: LengthTable::Sharegpt }
    }
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            dataset: DatasetName::standard(),
            lengths: Lengths::default(),
            eos: EosPolicy::default(),
            seed: 0,
        }
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

impl Workload {
    /// Checks the lengths by themselves.
    ///
    /// # Errors
    /// [`InvalidWorkload`] with the length that is out of range.
    pub fn validate(&self) -> Result<(), InvalidWorkload> {
        let in_range = |tokens: u32, least: u32| (least..=MAX_TOKENS).contains(&tokens);
        match self.lengths {
            Lengths::Fixed { input_tokens, .. } if !in_range(input_tokens, 1) => {
                Err(InvalidWorkload::InputTokens(input_tokens))
            }
            Lengths::Fixed { output_tokens, .. } | Lengths::AsInDataset { output_tokens }
                if !in_range(output_tokens, 2) =>
            {
                Err(InvalidWorkload::OutputTokens(output_tokens))
            }
            _ => Ok(()),
        }
    }

    /// Checks fixed lengths against the model's longest context.
    ///
    /// # Errors
    /// [`InvalidWorkload::Context`] when prompt and answer do not fit.
    pub fn validate_context(&self, model: &str, max_context_tokens: u32) -> Result<(), InvalidWorkload> {
        match self.lengths {
            Lengths::Fixed { input_tokens, output_tokens }
                if input_tokens.saturating_add(output_tokens) > max_context_tokens =>
            {
                Err(InvalidWorkload::Context {
                    input_tokens,
                    output_tokens,
                    max_context_tokens,
                    model: model.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// A hash that is equal for equal workloads on equal dataset bytes, and only then.
    #[must_use]
    pub fn fingerprint(&self, dataset_sha256: &Sha256Hex) -> Sha256Hex {
        let canonical = serde_json::json!({ "workload": self, "dataset_sha256": dataset_sha256 });
        Sha256Hex::of(canonical.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidWorkload, Lengths, Workload};
    use crate::dataset::Sha256Hex;

    fn fixed(input_tokens: u32, output_tokens: u32) -> Workload {
        Workload { lengths: Lengths::Fixed { input_tokens, output_tokens }, ..Workload::default() }
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for (workload, error) in [
            (fixed(0, 10), InvalidWorkload::InputTokens(0)),
            (fixed(10, 1), InvalidWorkload::OutputTokens(1)),
            (fixed(10, u32::MAX), InvalidWorkload::OutputTokens(u32::MAX)),
        ] {
            assert_eq!(workload.validate(), Err(error));
        }
        assert_eq!(fixed(1, 2).validate(), Ok(()));
        assert!(fixed(100, 29).validate_context("m", 128).is_err());
        assert!(fixed(100, 28).validate_context("m", 128).is_ok());
    }

    #[test]
    fn an_empty_object_is_the_standard_workload() {
        assert_eq!(serde_json::from_str::<Workload>("{}").unwrap(), Workload::default());
        assert!(serde_json::from_str::<Workload>(r#"{"length": 3}"#).is_err());
    }

    #[test]
    fn the_fingerprint_follows_workload_and_dataset() {
        let (a, b) = (Sha256Hex::of(b"a"), Sha256Hex::of(b"b"));
        assert_eq!(fixed(1, 2).fingerprint(&a), fixed(1, 2).fingerprint(&a));
        assert_ne!(fixed(1, 2).fingerprint(&a), fixed(1, 2).fingerprint(&b));
        assert_ne!(fixed(1, 2).fingerprint(&a), fixed(1, 3).fingerprint(&a));
    }
}
