//! Engines: what serves the model. A run names one; what it turned out to be (kind, version, digest) is learned from
//! the engine itself and kept with each result.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::text_newtype;
use crate::observed::Observed;

pub mod profile;

/// The root of an OpenAI-compatible server's address: people paste it with and without `/v1`.
#[must_use]
pub fn server_root(url: &Url) -> Url {
    let mut root = url.clone();
    let path = url.path().trim_end_matches('/');
    root.set_path(&format!("{}/", path.strip_suffix("/v1").unwrap_or(path)));
    root
}

/// Name of an engine that the operator offers, for instance `simulator` or `vllm`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct EngineName(String);

/// Why a text is no engine name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no engine name: use 1 to 40 lower-case letters, digits, `.`, `_` and `-`")]
pub struct InvalidEngineName(String);

impl EngineName {
    /// The built-in simulator, whose results are never called measured.
    #[must_use]
    pub fn simulator() -> Self {
        Self("simulator".to_owned())
    }

    /// vLLM, as the profile of the instance type starts it.
    #[must_use]
    pub fn vllm() -> Self {
        Self("vllm".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the built-in simulator.
    #[must_use]
    pub fn is_simulator(&self) -> bool {
        self.0 == "simulator"
    }
}

impl std::str::FromStr for EngineName {
    type Err = InvalidEngineName;

    fn from_str(text: &str) -> Result<Self, InvalidEngineName> {
        let acceptable = (1..=40).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidEngineName(text.to_owned())) }
    }
}

text_newtype!(EngineName, InvalidEngineName);

/// What a ready engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineIdentity {
    /// Which software it is.
    pub kind: EngineKind,
    /// Its version, from `/version` or the server header.
    pub version: Observed<String>,
    /// Digest of its container image.
    pub image_digest: Observed<String>,
}

/// The engine software, recognised by its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// vLLM on GPU or Neuron.
    Vllm,
    /// llama.cpp's own server.
    LlamaCpp,
    /// AccelBench's simulator.
    Simulator,
    /// An OpenAI-compatible server that does not say what it is.
    Other,
}

impl EngineKind {
    /// The word used in SQL, JSON and HTML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::LlamaCpp => "llama_cpp",
            Self::Simulator => "simulator",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::server_root;

    #[test]
    fn the_root_is_found_with_and_without_the_version() {
        for text in ["http://gpu:8000", "http://gpu:8000/", "http://gpu:8000/v1", "http://gpu:8000/v1/"] {
            assert_eq!(server_root(&text.parse().unwrap()).as_str(), "http://gpu:8000/");
        }
        assert_eq!(server_root(&"http://gw/llm/v1".parse().unwrap()).as_str(), "http://gw/llm/");
    }
}
