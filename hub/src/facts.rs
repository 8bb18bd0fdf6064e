//! The facts of a decoder model, read off its configuration: pure functions of JSON. What the configuration does not
//! say, or says in a way that this module does not know, is `None` and never guessed.

use accelbench_core::fit::{Experts, ModelFacts};
use accelbench_core::model::{ModelId, Quantization};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;

mod attention;
mod context;
mod experts;
mod family;
mod known;
mod layout;
mod parameters;
mod quantization;

pub use attention::Attention;
use attention::Shape;
pub(crate) use known::is_known;
use layout::Layout;
pub use parameters::{ParameterBasis, Parameters};
pub use quantization::{NativeQuantization, WeightFormat};

/// What is known of a decoder model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecoderFacts {
    /// Model family, as the catalog's seed names it: `llama-3.1`.
    pub family: Option<String>,
    /// The class that loads it: `LlamaForCausalLM`.
    pub architecture: Option<String>,
    /// How many parameters it has.
    pub parameters: Option<Parameters>,
    /// Number of decoder layers.
    pub layers: Option<u32>,
    /// Width of a token's state.
    pub hidden_size: Option<u32>,
    /// Number of attention shape.
    pub attention_heads: Option<u32>,
    /// Number of key-value heads; `None` with latent attention, which has no such heads in its cache.
    pub kv_heads: Option<u32>,
    /// Width of a key.
    pub head_dim: Option<u32>,
    /// What keys and values are kept of a token.
    pub attention: Option<Attention>,
    /// Bytes of key-value cache for one token in 16-bit precision; an upper bound where there is a sliding window.
    pub kv_cache_bytes_per_token: Option<f64>,
    /// Tokens that some or all layers look back at, where those are fewer than the longest context: an engine that
    /// makes use of it needs less cache than [`Self::kv_cache_bytes_per_token`] says.
    pub sliding_window_tokens: Option<u32>,
    /// The experts of a mixture.
    pub experts: Option<Experts>,
    /// Longest context that the model is configured for, in tokens.
    pub max_context_tokens: Option<u32>,
    /// Number of different tokens.
    pub vocabulary: Option<u32>,
    /// How unquantised weights are stored: `bfloat16`.
    pub dtype: Option<String>,
    /// How the weights are quantised as published; `None` when they are not.
    pub quantization: Option<NativeQuantization>,
    /// Whether the output layer is the table of embeddings.
    pub tied_embeddings: Option<bool>,
    /// Whether it comes with code of its own and is of no architecture that engines bring themselves: an engine would
    /// have to trust and run that code.
    pub needs_remote_code: bool,
}

/// What is known beside the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// The model's name.
    pub(crate) model: &'a ModelId,
    /// Elements in the safetensors files, if the Hub counted them.
    pub(crate) stored_elements: Option<f64>,
    /// `hf_quant_config.json`, which ModelOpt writes.
    pub(crate) modelopt: Option<&'a Value>,
}

impl DecoderFacts {
    /// The facts of the model that this configuration describes.
    pub(crate) fn read(config: Config<'_>, beside: Beside<'_>) -> Self {
        let layout = Layout::of(config.model_type());
        let shape = Shape::read(config, layout);
        let quantization = NativeQuantization::read(config, beside.modelopt);
        let max_context_tokens = context::longest(config);
        let architecture = config.architecture();
        Self {
            family: family::of(beside.model, config.model_type()),
            architecture: architecture.map(str::to_owned),
            parameters: Parameters::read(config, layout, quantization.as_ref(), beside.stored_elements),
            layers: shape.layers,
            hidden_size: shape.hidden_size,
            attention_heads: shape.attention_heads,
            kv_heads: shape.kv_heads,
            head_dim: shape.head_dim,
            attention: shape.attention,
            kv_cache_bytes_per_token: shape.kv_cache_bytes_per_token(),
            sliding_window_tokens: context::window(config, max_context_tokens),
            experts: experts::read(config),
            max_context_tokens,
            vocabulary: layout::vocabulary(config),
            dtype: config.text(&["torch_dtype", "dtype"]).map(str::to_owned),
            quantization,
            tied_embeddings: layout::tied_embeddings(config, layout),
            needs_remote_code: config.value_or_whole("auto_map").is_some()
                && !architecture.is_some_and(is_known),
        }
    }

    /// How the weights are published, where that is one of the precisions that can be asked for.
    #[must_use]
    pub fn published_as(&self) -> Option<Quantization> {
        match (&self.quantization, self.dtype.as_deref()) {
            (Some(native), _) => native.format.quantization(),
            (None, Some("bfloat16")) => Some(Quantization::Bf16),
            (None, Some("float16")) => Some(Quantization::Fp16),
            (None, _) => None,
        }
    }
}

impl From<&DecoderFacts> for ModelFacts {
    fn from(facts: &DecoderFacts) -> Self {
        let latent = facts.attention == Some(Attention::Latent);
        Self {
            params_total_b: facts.parameters.map(|parameters| parameters.total_b),
            params_active_b: facts.parameters.and_then(|parameters| parameters.active_b),
            layers: facts.layers,
            experts: facts.experts,
            attention_heads: facts.attention_heads,
            // Every accelerator holds the whole latent cache.
            kv_heads: if latent { Some(1) } else { facts.kv_heads },
            kv_cache_bytes_per_token: facts.kv_cache_bytes_per_token,
            max_context_tokens: facts.max_context_tokens,
        }
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
