//! What keys and values a model keeps of each token.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::layout::{self, Layout};
use crate::config::Config;

/// What keys and values are kept of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// One key and value for each head.
    MultiHead,
    /// One for each group of heads.
    GroupedQuery,
    /// One for all heads.
    MultiQuery,
    /// One compressed state for all heads (MLA).
    Latent,
    /// Layers that differ, or that keep a selection or a state of fixed size: no one number says what a token costs.
    Mixed,
}

/// Names that only configurations with differing layers, selected keys or states of fixed size have.
const MIXED: [&str; 21] = [
    "attn_layer_period",
    "block_configs",
    "compress_ratios",
    "full_attention_interval",
    "global_head_dim",
    "hybrid_layer_pattern",
    "hybrid_override_pattern",
    "index_topk",
    "layers_block_type",
    "linear_attn_config",
    "linear_num_key_heads",
    "lru_width",
    "mamba_d_state",
    "mamba_num_heads",
    "num_global_key_value_heads",
    "num_kv_shared_layers",
    "sparse_attention_config",
    "ssm_cfg",
    "ssm_state_size",
    "state_size",
    "swa_num_key_value_heads",
];

/// Kinds of layers that keep a key and value of each token, if only for a while.
const ORDINARY_LAYERS: [&str; 4] = ["full_attention", "sliding_attention", "chunked_attention", "attention"];

/// The numbers of layers and heads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) layers: Option<u32>,
    pub(super) hidden_size: Option<u32>,
    pub(super) attention_heads: Option<u32>,
    pub(super) kv_heads: Option<u32>,
    pub(super) head_dim: Option<u32>,
    pub(super) attention: Option<Attention>,
    /// Numbers that a layer keeps of a token.
    kept_per_layer: Option<f64>,
}

impl Shape {
    pub(super) fn read(config: Config<'_>, layout: Option<Layout>) -> Self {
        let layers = layout::count(config, &["num_hidden_layers", "n_layer", "n_layers", "num_layers"]);
        let hidden_size = layout::count(config, &["hidden_size", "n_embd", "d_model"]);
        let attention_heads =
            layout::count(config, &["num_attention_heads", "n_head", "n_heads", "num_heads"]);
        let head_dim = layout::count(config, &["head_dim", "kv_channels", "attention_head_dim"])
            .or_else(|| divided(hidden_size?, attention_heads?));
        let mut shape = Self {
            layers,
            hidden_size,
            attention_heads,
            kv_heads: kv_heads(config, layout, attention_heads),
            head_dim,
            attention: None,
            kept_per_layer: None,
        };
        shape.attention = shape.kind(config);
        shape.kept_per_layer = shape.kept(config);
        if shape.attention == Some(Attention::Latent) {
            shape.kv_heads = None;
        }
        shape
    }

    /// Two bytes for each kept number.
    pub(super) fn kv_cache_bytes_per_token(self) -> Option<f64> {
        Some(f64::from(self.layers?) * self.kept_per_layer? * 2.0)
    }

    fn kind(self, config: Config<'_>) -> Option<Attention> {
        if is_mixed(config) {
            return Some(Attention::Mixed);
        }
        if config.count(&["kv_lora_rank"]).is_some() {
            return Some(Attention::Latent);
        }
        match (self.attention_heads?, self.kv_heads?) {
            (heads, kv_heads) if heads == kv_heads => Some(Attention::MultiHead),
            (_, 1) => Some(Attention::MultiQuery),
            _ => Some(Attention::GroupedQuery),
        }
    }

    fn kept(self, config: Config<'_>) -> Option<f64> {
        match self.attention? {
            Attention::Mixed => None,
            Attention::Latent => {
                let compressed = config.count(&["kv_lora_rank"])?;
                Some(f64::from(compressed) + f64::from(config.count(&["qk_rope_head_dim"])?))
            }
            Attention::MultiHead | Attention::GroupedQuery | Attention::MultiQuery => {
                Some(2.0 * f64::from(self.kv_heads?) * f64::from(self.head_dim?))
            }
        }
    }
}

/// Whether no one number says what a token costs.
pub(super) fn is_mixed(config: Config<'_>) -> bool {
    let present = |name: &&str| match config.value(name) {
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(_) => true,
        None => false,
    };
    let odd_layer = |layer: &Value| layer.as_str().is_some_and(|kind| !ORDINARY_LAYERS.contains(&kind));
    let layers = config.value("layer_types").and_then(Value::as_array);
    // MiniMax-Text marks the layers of its linear attention with 0.
    let linear = config.value("attn_type_list").and_then(Value::as_array);
    MIXED.iter().any(present)
        || layers.is_some_and(|layers| layers.iter().any(odd_layer))
        || linear.is_some_and(|layers| layers.iter().any(|layer| layer.as_u64() == Some(0)))
}

fn kv_heads(config: Config<'_>, layout: Option<Layout>, attention_heads: Option<u32>) -> Option<u32> {
    const NAMES: [&str; 6] = [
        "num_key_value_heads",
        "num_kv_heads",
        "n_head_kv",
        "attn_config.kv_n_heads",
        "multi_query_group_num",
        "num_attention_groups",
    ];
    match config.model_type() {
        // Falcon names a number of key-value heads that only its new architecture heeds.
        "falcon" | "RefinedWeb" | "RefinedWebModel"
            if config.flag("new_decoder_architecture") != Some(true)
                && config.count(&["n_head_kv"]).is_none() =>
        {
            if config.flag("multi_query") == Some(false) {
                attention_heads
            } else {
                Some(1)
            }
        }
        "gpt_bigcode" if config.flag("multi_query") != Some(false) => Some(1),
        "chatglm" if config.flag("multi_query_attention") != Some(true) => attention_heads,
        // Of a kind that is not known, nobody says what a missing number means.
        _ => layout::count(config, &NAMES).or_else(|| layout.and(attention_heads)),
    }
}

fn divided(hidden_size: u32, heads: u32) -> Option<u32> {
    (hidden_size.is_multiple_of(heads)).then(|| hidden_size / heads)
}
