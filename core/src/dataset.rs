//! Prompt datasets: how they are named, hashed, read and refused. A dataset is JSON lines; each line is a prompt.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::text_newtype;

/// Name of a dataset, for instance `standard`; a name may have several versions, told apart by their hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// A line could not be read as a prompt.
    #[error("line {line}: {problem}")]
    Line {
        /// Number of the line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no prompt at all.
    #[error("the dataset holds no prompt; write one JSON object with a `prompt` on each line")]
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

/// One prompt as the load generator uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The text that is sent.
    pub prompt: String,
    /// How many tokens to ask for, where the dataset says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
}

/// Reads a dataset of JSON lines, each `{"prompt": "...", "output_tokens": 128}` with the second key optional and
/// further keys ignored; empty lines are skipped.
///
/// # Errors
/// [`InvalidDataset`] with the number of the first line that is no prompt, or `Empty`.
pub fn parse(bytes: &[u8]) -> Result<Vec<Prompt>, InvalidDataset> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| InvalidDataset::Encoding { at: error.valid_up_to() })?;
    let mut prompts = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |problem: String| InvalidDataset::Line { line: index + 1, problem };
        let prompt: Prompt = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
        if prompt.prompt.trim().is_empty() {
            return Err(at("the prompt is empty".to_owned()));
        }
        if prompt.output_tokens == Some(0) {
            return Err(at("output_tokens is 0; leave it out or ask for at least 1".to_owned()));
        }
        prompts.push(prompt);
    }
    if prompts.is_empty() { Err(InvalidDataset::Empty) } else { Ok(prompts) }
}

#[cfg(test)]
mod tests {
    use super::{InvalidDataset, parse};

    #[test]
    fn a_dataset_is_read_line_by_line() {
        let prompts =
            parse(b"{\"prompt\":\"a\",\"id\":7}\n\n{\"prompt\":\"b\",\"output_tokens\":5}\n").unwrap();
        assert_eq!((prompts.len(), prompts[0].output_tokens, prompts[1].output_tokens), (2, None, Some(5)));
    }

    #[test]
    fn errors_name_the_line() {
        for (bytes, line) in [
            (&b"{\"prompt\":\"a\"}\n{oops\n"[..], 2),
            (b"\n{\"prompt\":\" \"}", 2),
            (b"{\"text\":\"a\"}", 1),
            (b"{\"prompt\":\"a\",\"output_tokens\":0}", 1),
            (b"{\"prompt\":\"a\",\"output_tokens\":-4}", 1),
        ] {
            let error = parse(bytes).unwrap_err();
            assert!(matches!(&error, InvalidDataset::Line { line: found, .. } if *found == line), "{error}");
        }
    }

    #[test]
    fn nothing_and_no_text_are_refused() {
        assert_eq!(parse(b"\n \n"), Err(InvalidDataset::Empty));
        assert_eq!(parse(b"{\"prompt\":\"\xff\"}"), Err(InvalidDataset::Encoding { at: 11 }));
    }
}
