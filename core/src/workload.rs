//! The workload of a run: which prompts, how long in and out, when a request ends, and the seed that makes it
//! repeatable. The offered load (how many at once) is not part of it: see [`crate::load`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, DatasetName, Sha256Hex};
use crate::load::OfferedLoad;

mod lengths;

pub use lengths::{LengthDistribution, LengthTable, Lengths};

/// Most input or output tokens of one request.
pub const MAX_TOKENS: u32 = 131_072;

/// Most turns of a conversation.
pub const MAX_TURNS: u32 = 100;

/// What each request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Questions of one conversation, each of which follows on all that was said before; 1 are single questions.
    #[serde(default = "one_turn", skip_serializing_if = "is_one")]
    pub turns: u32,
    /// Tokens with which every prompt begins alike, for engines with a prefix cache. They count as input.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shared_prefix_tokens: u32,
    /// Seed of every random choice: the same seed gives the same lengths and texts in the same order. Only the few
    /// characters that a prompt begins with differ from run to run, so that no prefix cache can answer.
    #[serde(default)]
    pub seed: u64,
}

/// When a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EosPolicy {
    /// The engine goes on to the asked length: every request does the same work, so that results compare.
    #[default]
    Ignore,
    /// The engine stops where the model does; lengths are upper limits.
    Respect,
}

fn one_turn() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde prescribes the form")]
fn is_one(turns: &u32) -> bool {
    *turns == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde prescribes the form")]
fn is_zero(tokens: &u32) -> bool {
    *tokens == 0
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
    /// A distribution of lengths is impossible.
    #[error(
        "the distribution of {0} is impossible: bounds must be in order, within 1 to {MAX_TOKENS} (output: 2), around the mean"
    )]
    Distribution(&'static str),
    /// The shared beginning leaves nothing of a prompt.
    #[error("shared_prefix_tokens is {0}; prompts must be longer than what they share")]
    SharedPrefix(u32),
    /// A conversation has no or too many turns.
    #[error("turns is {0}; it must be 1 to {MAX_TURNS}")]
    Turns(u32),
    /// Each question of a conversation would begin with what all share.
    #[error("turns and shared_prefix_tokens do not go together: later questions follow on what was said")]
    SharedTurns,
    /// The dataset is of another kind.
    #[error("{0}")]
    Dataset(&'static str),
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

impl Default for Workload {
    fn default() -> Self {
        Self {
            dataset: DatasetName::standard(),
            lengths: Lengths::default(),
            eos: EosPolicy::default(),
            turns: 1,
            shared_prefix_tokens: 0,
            seed: 0,
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
            Lengths::Distributed { input, .. } if !input.is_possible(1) => {
                Err(InvalidWorkload::Distribution("input lengths"))
            }
            Lengths::Distributed { output, .. } if !output.is_possible(2) => {
                Err(InvalidWorkload::Distribution("output lengths"))
            }
            _ => self.validate_turns_and_prefix(),
        }
    }

    fn validate_turns_and_prefix(&self) -> Result<(), InvalidWorkload> {
        if !(1..=MAX_TURNS).contains(&self.turns) {
            return Err(InvalidWorkload::Turns(self.turns));
        }
        if self.turns > 1 && self.shared_prefix_tokens > 0 {
            return Err(InvalidWorkload::SharedTurns);
        }
        let shortest = match self.lengths {
            Lengths::Fixed { input_tokens, .. } => input_tokens,
            Lengths::Distributed { input, .. } => input.bounds().0,
            // Shorter ones share less.
            Lengths::Table { .. } | Lengths::AsInDataset { .. } => MAX_TOKENS,
        };
        let prefix = self.shared_prefix_tokens;
        if prefix >= shortest { Err(InvalidWorkload::SharedPrefix(prefix)) } else { Ok(()) }
    }

    /// Checks that a dataset of this kind serves the workload at these loads.
    ///
    /// # Errors
    /// [`InvalidWorkload::Dataset`].
    pub fn validate_dataset(&self, dataset: &Dataset, loads: &[OfferedLoad]) -> Result<(), InvalidWorkload> {
        let as_it_is = matches!(self.lengths, Lengths::AsInDataset { .. });
        let refuse = |why| Err(InvalidWorkload::Dataset(why));
        if self.turns > 1 && loads.iter().any(|load| load.is_open()) {
            return refuse("conversations are held by the users of a closed loop: give a concurrency");
        }
        match dataset {
            Dataset::Lengths(_) | Dataset::Trace(_) if !as_it_is => {
                refuse("the dataset gives the lengths: leave them out of the request (as_in_dataset)")
            }
            Dataset::Prompts(_) if as_it_is && self.shared_prefix_tokens > 0 => refuse(
                "prompts that are sent as the dataset has them share no beginning: give lengths, or leave it out",
            ),
            Dataset::Prompts(_) | Dataset::Lengths(_)
                if loads.iter().any(|load| matches!(load, OfferedLoad::Trace(_))) =>
            {
                refuse("only a trace can be replayed: give CSV with t_s, input_tokens and output_tokens")
            }
            _ => Ok(()),
        }
    }

    /// Checks fixed lengths against the model's longest context.
    ///
    /// # Errors
    /// [`InvalidWorkload::Context`] when prompt and answer do not fit.
    pub fn validate_context(&self, model: &str, max_context_tokens: u32) -> Result<(), InvalidWorkload> {
        let longest = match self.lengths {
            Lengths::Distributed { input, output } => {
                Lengths::Fixed { input_tokens: input.bounds().1, output_tokens: output.bounds().1 }
            }
            lengths => lengths,
        };
        match longest {
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
    use super::{InvalidWorkload, LengthDistribution, Lengths, Workload};
    use crate::dataset::{Dataset, Sha256Hex};
    use crate::load::{OfferedLoad, TraceReplay};

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
    fn distributions_and_prefixes_are_checked() {
        let workload = |input, shared_prefix_tokens| Workload {
            lengths: Lengths::Distributed { input, output: LengthDistribution::Uniform { min: 2, max: 9 } },
            shared_prefix_tokens,
            ..Workload::default()
        };
        let normal = |mean, min, max| LengthDistribution::Normal { mean, std_dev: 10, min, max };
        assert_eq!(workload(normal(50, 20, 90), 19).validate(), Ok(()));
        for impossible in [normal(5, 20, 90), normal(50, 90, 20), normal(50, 0, 90), normal(50, 1, 200_000)] {
            assert_eq!(
                workload(impossible, 0).validate(),
                Err(InvalidWorkload::Distribution("input lengths"))
            );
        }
        assert_eq!(workload(normal(50, 20, 90), 20).validate(), Err(InvalidWorkload::SharedPrefix(20)));
        assert!(workload(normal(50, 20, 90), 0).validate_context("m", 98).is_err());
    }

    #[test]
    fn datasets_and_workloads_must_go_together() {
        let lengths = Dataset::parse(b"input_tokens,output_tokens\n5,6\n").unwrap();
        let trace = Dataset::parse(b"t_s,input_tokens,output_tokens\n0,5,6\n").unwrap();
        let prompts = Dataset::parse(b"{\"prompt\":\"a\"}").unwrap();
        let as_it_is = Workload { lengths: Lengths::AsInDataset { output_tokens: 9 }, ..Workload::default() };
        let replay = [OfferedLoad::Trace(TraceReplay { speed: 1.0 })];
        assert!(fixed(1, 2).validate_dataset(&lengths, &[]).is_err());
        assert!(as_it_is.validate_dataset(&lengths, &replay).is_err());
        assert!(as_it_is.validate_dataset(&prompts, &replay).is_err());
        for dataset in [&lengths, &prompts, &trace] {
            assert_eq!(as_it_is.validate_dataset(dataset, &[]), Ok(()));
        }
        assert_eq!(as_it_is.validate_dataset(&trace, &replay), Ok(()));
        let talk = Workload { turns: 3, ..as_it_is };
        assert!(
            talk.validate_dataset(&trace, &replay).is_err() && talk.validate_dataset(&prompts, &[]).is_ok()
        );
        let shared = Workload { shared_prefix_tokens: 5, ..talk.clone() };
        assert_eq!(shared.validate(), Err(InvalidWorkload::SharedTurns));
        assert_eq!(Workload { turns: 0, ..talk }.validate(), Err(InvalidWorkload::Turns(0)));
    }

    #[test]
    fn the_fingerprint_follows_workload_and_dataset() {
        let (a, b) = (Sha256Hex::of(b"a"), Sha256Hex::of(b"b"));
        assert_eq!(fixed(1, 2).fingerprint(&a), fixed(1, 2).fingerprint(&a));
        assert_ne!(fixed(1, 2).fingerprint(&a), fixed(1, 2).fingerprint(&b));
        assert_ne!(fixed(1, 2).fingerprint(&a), fixed(1, 3).fingerprint(&a));
    }
}
