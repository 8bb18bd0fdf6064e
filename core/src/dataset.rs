//! Datasets: how they are named, hashed, read and refused. A dataset holds prompts (JSON lines or ShareGPT's JSON), or
//! lengths alone (CSV), with the moments at which the requests came where it is a trace.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::text_newtype;

mod csv;
mod json;

/// Name of a dataset, for instance `standard`; a name may have several versions, told apart by their hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(String);

/// SHA-256 of a dataset's bytes, in 64 hexadecimal digits: the version of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hex(String);

/// What is wrong with a dataset or its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDataset {
    /// The name has other letters than those allowed.
    #[error("`{0}` is no dataset name: use 1 to 64 lower-case letters, digits, `.`, `_` and `-`")]
    Name(String),
    /// The hash is not 64 hexadecimal digits.
    #[error("`{0}` is no SHA-256: give 64 lower-case hexadecimal digits")]
    Hash(String),
    /// The text is not UTF-8.
    #[error("the dataset is not UTF-8 from byte {at} on; save it as UTF-8")]
    Encoding {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// A line could not be read.
    #[error("line {line}: {problem}")]
    Line {
        /// Number of the line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A conversation of ShareGPT's JSON could not be read.
    #[error("conversation {conversation}: {problem}")]
    Conversation {
        /// Its number, counted from 1.
        conversation: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no prompt at all.
    #[error(
        "the dataset is empty; give JSON lines with a `prompt` or `messages` each, ShareGPT's JSON, or CSV with \
         input_tokens and output_tokens"
    )]
    Empty,
}

impl DatasetName {
    /// The dataset that comes with AccelBench.
    #[must_use]
    pub fn standard() -> Self {
        Self("standard".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for DatasetName {
    type Err = InvalidDataset;

    fn from_str(text: &str) -> Result<Self, InvalidDataset> {
        let acceptable = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidDataset::Name(text.to_owned())) }
    }
}

impl Sha256Hex {
    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Sha256Hex {
    type Err = InvalidDataset;

    fn from_str(text: &str) -> Result<Self, InvalidDataset> {
        let acceptable =
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidDataset::Hash(text.to_owned())) }
    }
}

text_newtype!(DatasetName, InvalidDataset);
text_newtype!(Sha256Hex, InvalidDataset);

/// The dataset that comes with AccelBench, as JSON lines; the folder `datasets` says where it comes from.
pub const STANDARD: &[u8] = include_bytes!("../../datasets/standard-v1.jsonl");

/// What a dataset holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Dataset {
    /// Texts to be sent.
    Prompts(Vec<Prompt>),
    /// Lengths, for which texts are made.
    Lengths(Vec<LengthPair>),
    /// Lengths with the moments at which the requests came, in order.
    Trace(Vec<TracedRequest>),
}

/// One prompt as the load generator uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What is sent.
    pub content: Content,
    /// How many tokens to ask for, where the dataset says so.
    pub output_tokens: Option<u32>,
    /// The answer that the dataset holds: its length is asked for where no number is given.
    pub answer: Option<String>,
}

/// What a prompt sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text, to be completed.
    Text(String),
    /// The messages of a chat, to be answered.
    Messages(Vec<Message>),
}

/// A message of a chat, as OpenAI's API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Its text.
    pub content: String,
}

/// Tokens in and out of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthPair {
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
}

/// A request of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TracedRequest {
    /// When it came, in seconds from the beginning of the trace.
    pub at_s: f64,
    /// Its lengths.
    pub lengths: LengthPair,
}

impl Prompt {
    /// A text to be completed.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), output_tokens: None, answer: None }
    }
}

impl Content {
    /// Whether it is answered by the chat interface.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        matches!(self, Self::Messages(_))
    }

    /// All its text.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Messages(messages) => {
                let texts: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
                Cow::Owned(texts.join("\n\n"))
            }
        }
    }
}

impl Dataset {
    /// Reads a dataset: JSON lines, each `{"prompt": "...", "output_tokens": 128}` or `{"messages": [...]}` with the
    /// number optional and further keys ignored; ShareGPT's JSON, an array of conversations, of which the first question
    /// is asked; or CSV with the columns `input_tokens` and `output_tokens`, and `t_s` where it is a trace. Empty lines
    /// are skipped.
    ///
    /// # Errors
    /// [`InvalidDataset`] with the number of the first line or conversation that cannot be read, or `Empty`.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidDataset> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| InvalidDataset::Encoding { at: error.valid_up_to() })?;
        let text = text.trim_start_matches('\u{feff}');
        let dataset = match text.trim_start().chars().next() {
            None => return Err(InvalidDataset::Empty),
            Some('[') => Self::Prompts(json::share_gpt(text)?),
            Some('{') => Self::Prompts(json::lines(text)?),
            Some(_) => csv::parse(text)?,
        };
        if dataset.is_empty() { Err(InvalidDataset::Empty) } else { Ok(dataset) }
    }

    /// The number of prompts, pairs of lengths or requests.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Prompts(prompts) => prompts.len(),
            Self::Lengths(pairs) => pairs.len(),
            Self::Trace(requests) => requests.len(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it gives lengths alone, so that they cannot come from elsewhere.
    #[must_use]
    pub fn is_lengths(&self) -> bool {
        !matches!(self, Self::Prompts(_))
    }
}

#[cfg(test)]
mod tests;
