//! What resolving a model brings.

use accelbench_core::model::{Model, ModelId, Quantization, Revision};
use serde::{Deserialize, Serialize};

use crate::facts::{Attention, DecoderFacts, WeightFormat};

/// A decoder model at one commit, with all that was read of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedModel {
    /// Its name as the Hub has it now: of a renamed repository the new one.
    pub model: ModelId,
    /// The commit that every fact is of.
    pub revision: Revision,
    /// Who may read its files. Whoever resolved it may: its configuration was read with the same token.
    pub access: Access,
    /// The licence that its card names.
    pub licence: Option<String>,
    /// What its configuration says.
    pub facts: DecoderFacts,
    /// How many bytes of weights an engine loads.
    pub weights: Option<WeightsSize>,
    /// Where all this is from, for a person.
    pub source: String,
}

/// Who may read the files of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Access {
    /// Everyone.
    Open,
    /// Those who accepted its terms.
    Gated {
        /// Who decides that.
        approval: Approval,
    },
    /// Those whom its owner lets.
    Private,
}

/// Who lets a user into a gated repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// The Hub, at once.
    Automatic,
    /// The authors, when they come to it.
    Manual,
}

/// Size of the weights as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsSize {
    /// Bytes.
    pub bytes: u64,
    /// Where the number is from.
    pub basis: WeightsBasis,
}

/// Where the size of the weights is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsBasis {
    /// The files' sizes.
    Files,
    /// The elements that the Hub counted in the safetensors files.
    Elements,
    /// The `total_size` of the safetensors index.
    Index,
}

impl Access {
    /// Whether the Hub asks for a token.
    #[must_use]
    pub fn needs_token(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// How the weights are stored, for what they take: 4-bit floats take what 4-bit integers do.
fn stored_as(facts: &DecoderFacts) -> Option<Quantization> {
    let format = facts.quantization.as_ref().map(|quantization| quantization.format);
    match format {
        Some(WeightFormat::Mxfp4 | WeightFormat::Nvfp4 | WeightFormat::Nf4) => Some(Quantization::Int4),
        _ => facts.published_as(),
    }
}

impl From<&ResolvedModel> for Model {
    fn from(resolved: &ResolvedModel) -> Self {
        let facts = &resolved.facts;
        let latent = facts.attention == Some(Attention::Latent);
        let signed = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
        Self {
            model: resolved.model.clone(),
            family: facts.family.clone(),
            params_total_b: facts.parameters.map(|parameters| parameters.total_b),
            params_active_b: facts.parameters.and_then(|parameters| parameters.active_b),
            layers: signed(facts.layers),
            kv_cache_bytes_per_token: facts.kv_cache_bytes_per_token,
            max_context_tokens: signed(facts.max_context_tokens),
            attention_heads: signed(facts.attention_heads),
            // Every accelerator holds the whole latent cache.
            kv_heads: if latent { Some(1) } else { signed(facts.kv_heads) },
            expert_count: signed(facts.experts.map(|experts| experts.count)),
            experts_per_token: signed(facts.experts.map(|experts| experts.per_token)),
            published_quantization: stored_as(facts),
            revision: Some(resolved.revision.clone()),
            gated: Some(resolved.access.needs_token()),
            licence: resolved.licence.clone(),
            source: resolved.source.clone(),
        }
    }
}
