//! Models as Hugging Face names them, their revisions, and the facts that decide speed and fit.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Hugging Face model id such as `meta-llama/Llama-3.1-8B-Instruct`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ModelId(String);

/// A commit of a model repository: 40 hexadecimal digits, never a branch name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Revision(String);

/// Why a text is no model id or revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModel {
    /// The text is not of the form `owner/name` or `name`.
    #[error(
        "`{0}` is not a model id: give it as on Hugging Face, `owner/name`, of letters, digits, `.`, `_` and `-`"
    )]
    Id(String),
    /// The text is not a commit hash.
    #[error(
        "`{0}` is not a model revision: give the commit hash of 40 hexadecimal digits, not a branch name"
    )]
    Revision(String),
}

impl ModelId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelId {
    type Err = InvalidModel;

    fn from_str(text: &str) -> Result<Self, InvalidModel> {
        let parts: Vec<&str> = text.split('/').collect();
        let well_formed = |part: &&str| {
            !part.is_empty()
                && part.starts_with(|first: char| first.is_ascii_alphanumeric())
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
        };
        let acceptable = parts.len() <= 2 && text.len() <= 200 && parts.iter().all(well_formed);
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidModel::Id(text.to_owned())) }
    }
}

impl FromStr for Revision {
    type Err = InvalidModel;

    fn from_str(text: &str) -> Result<Self, InvalidModel> {
        let acceptable =
            text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidModel::Revision(text.to_owned())) }
    }
}

impl Revision {
    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_in_json {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}
pub(crate) use text_in_json;

macro_rules! text_newtype {
    ($type:ty, $error:ty) => {
        $crate::model::text_in_json!($type, $error);

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_newtype;

text_newtype!(ModelId, InvalidModel);
text_newtype!(Revision, InvalidModel);

/// How the weights (and, where the engine does so, the activations) are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// 16-bit brain floating point: no quantisation.
    Bf16,
    /// 16-bit IEEE floating point: no quantisation.
    Fp16,
    /// 8-bit floating point.
    Fp8,
    /// 8-bit integers.
    Int8,
    /// 4-bit integers.
    Int4,
}

impl Quantization {
    /// Every quantisation, in the order in which it is offered.
    pub const ALL: [Self; 5] = [Self::Bf16, Self::Fp16, Self::Fp8, Self::Int8, Self::Int4];

    /// The word used in SQL, JSON, HTML and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
            Self::Fp8 => "fp8",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        }
    }

    /// Bytes that one weight takes.
    #[must_use]
    pub fn bytes_per_weight(self) -> f64 {
        match self {
            Self::Bf16 | Self::Fp16 => 2.0,
            Self::Fp8 | Self::Int8 => 1.0,
            Self::Int4 => 0.5,
        }
    }
}

impl fmt::Display for Quantization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What is known of a model. Unknown facts are `None`: the catalog lists models whose configuration was not found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Its Hugging Face id.
    pub model: ModelId,
    /// Model family, for instance `llama`.
    pub family: Option<String>,
    /// All parameters, in 10^9.
    pub params_total_b: Option<f64>,
    /// Parameters used for one token (fewer than all in a mixture of experts), in 10^9.
    pub params_active_b: Option<f64>,
    /// Number of decoder layers.
    pub layers: Option<i32>,
    /// Bytes of key-value cache for one token in 16-bit precision.
    pub kv_cache_bytes_per_token: Option<f64>,
    /// Longest context that the model is configured for, in tokens.
    pub max_context_tokens: Option<i32>,
    /// Number of attention heads, over which a layer can be split.
    pub attention_heads: Option<i32>,
    /// Number of heads over which the key-value cache can be split; 1 with latent attention.
    pub kv_heads: Option<i32>,
    /// Experts in each layer of a mixture.
    pub expert_count: Option<i32>,
    /// Those of them that work on one token; known exactly where their number is.
    pub experts_per_token: Option<i32>,
    /// How the weights are published, 4-bit floats as 4-bit integers, which take as much; `None` when not known, so that
    /// only the name tells.
    pub published_quantization: Option<Quantization>,
    /// The commit that the facts were read at; `None` where the Hub was not asked.
    pub revision: Option<Revision>,
    /// Whether Hugging Face asks for a token; `None` when not checked.
    pub gated: Option<bool>,
    /// The licence that the model is under.
    pub licence: Option<String>,
    /// Where the facts come from.
    pub source: String,
}

impl Model {
    /// These facts, and where one is missing that of `older`.
    #[must_use]
    pub fn completed_by(&self, older: Self) -> Self {
        let experts = self.expert_count.zip(self.experts_per_token);
        let experts = experts.or(older.expert_count.zip(older.experts_per_token));
        Self {
            model: self.model.clone(),
            family: self.family.clone().or(older.family),
            params_total_b: self.params_total_b.or(older.params_total_b),
            params_active_b: self.params_active_b.or(older.params_active_b),
            layers: self.layers.or(older.layers),
            kv_cache_bytes_per_token: self.kv_cache_bytes_per_token.or(older.kv_cache_bytes_per_token),
            max_context_tokens: self.max_context_tokens.or(older.max_context_tokens),
            attention_heads: self.attention_heads.or(older.attention_heads),
            kv_heads: self.kv_heads.or(older.kv_heads),
            expert_count: experts.map(|(count, _)| count),
            experts_per_token: experts.map(|(_, per_token)| per_token),
            published_quantization: self.published_quantization.or(older.published_quantization),
            revision: self.revision.clone().or(older.revision),
            gated: self.gated.or(older.gated),
            licence: self.licence.clone().or(older.licence),
            source: self.source.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ModelId, Revision};

    #[test]
    fn model_ids_are_told_from_other_texts() {
        for good in ["meta-llama/Llama-3.1-8B", "gpt2", "01-ai/Yi-1.5-34B-Chat", "tiny-llama"] {
            assert!(good.parse::<ModelId>().is_ok(), "{good}");
        }
        for bad in ["", "/", "a/", "/b", "a/b/c", "a b/c", "../etc/passwd", "-x/y", "a/'; drop"] {
            assert!(bad.parse::<ModelId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_branch_is_no_revision() {
        assert!("main".parse::<Revision>().is_err());
        assert!("0123456789abcdef0123456789abcdef01234567".parse::<Revision>().is_ok());
        assert!(serde_json::from_str::<Revision>("\"HEAD\"").is_err());
    }
}
