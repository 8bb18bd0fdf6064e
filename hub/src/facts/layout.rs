//! What a kind of model leaves out of its configuration, because its code knows it.

use crate::config::Config;

/// What the code of a kind of model decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// How a feed-forward layer is built.
    pub(super) feed_forward: FeedForward,
    /// Whether the output layer is the table of embeddings, unless the configuration says otherwise.
    pub(super) tied_embeddings: bool,
    /// Whether positions are a learned table.
    pub(super) learned_positions: bool,
}

/// How a feed-forward layer is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedForward {
    /// Gate, up and down: three matrices.
    Gated,
    /// Up and down: two matrices.
    Plain,
}

const GATED: Layout =
    Layout { feed_forward: FeedForward::Gated, tied_embeddings: false, learned_positions: false };
const GATED_TIED: Layout = Layout { tied_embeddings: true, ..GATED };
const PLAIN: Layout = Layout { feed_forward: FeedForward::Plain, ..GATED };
const PLAIN_TIED: Layout = Layout { tied_embeddings: true, ..PLAIN };
const PLAIN_TIED_POSITIONS: Layout = Layout { learned_positions: true, ..PLAIN_TIED };

impl Layout {
    /// What is known of this kind of language model.
    pub(super) fn of(model_type: &str) -> Option<Self> {
        Some(match model_type {
            "baichuan" | "chatglm" | "deepseek" | "deepseek_v2" | "deepseek_v3" | "dots1" | "exaone4"
            | "glm" | "glm4" | "glm4_moe" | "gpt_oss" | "granite" | "granitemoe" | "hunyuan_v1_dense"
            | "internlm2" | "internlm3" | "kimi_k2" | "kimi_k25" | "llama" | "llama4_text" | "mimo"
            | "minicpm" | "minimax_m2" | "ministral" | "mistral" | "mixtral" | "olmo" | "olmo2" | "olmo3"
            | "olmoe" | "phi3" | "phi4mm" | "phimoe" | "qwen2" | "qwen2_5_vl" | "qwen2_5_vl_text"
            | "qwen2_moe" | "qwen2_vl" | "qwen2_vl_text" | "qwen3" | "qwen3_moe" | "qwen3_vl_moe_text"
            | "qwen3_vl_text" | "seed_oss" | "solar" | "stablelm" | "dbrx" => GATED,
            "cohere" | "cohere2" | "ernie4_5" | "ernie4_5_moe" | "gemma" | "gemma2" | "gemma3_text"
            | "smollm3" => GATED_TIED,
            "arcee" | "gpt_neox" | "gptj" | "nemotron" | "phi" => PLAIN,
            "RefinedWeb" | "RefinedWebModel" | "bloom" | "falcon" | "mpt" | "starcoder2" => PLAIN_TIED,
            "gpt2" | "gpt_bigcode" | "opt" => PLAIN_TIED_POSITIONS,
            _ => return None,
        })
    }
}

/// transformers writes only what differs from its defaults into the part of a wrapper, so that these are missing there.
pub(super) fn default_of(model_type: &str, name: &str) -> Option<u32> {
    Some(match (model_type, name) {
        ("gemma3_text", "num_attention_heads") | ("mistral" | "mixtral", "num_key_value_heads") => 8,
        ("gemma3_text", "num_key_value_heads") => 4,
        ("gemma3_text", "vocab_size") => 262_208,
        ("gemma3_text", "max_position_embeddings") => 131_072,
        ("gemma" | "gemma2" | "gemma3_text", "head_dim") => 256,
        ("qwen3" | "qwen3_moe" | "glm" | "glm4", "head_dim") => 128,
        ("llama" | "mistral", "hidden_size") => 4096,
        ("llama" | "mistral", "num_hidden_layers" | "num_attention_heads") => 32,
        ("llama" | "mistral", "vocab_size") => 32_000,
        ("llama", "intermediate_size") => 11_008,
        ("mistral", "intermediate_size") => 14_336,
        _ => return None,
    })
}

/// The number of these names, or else what the kind of model takes for the first of them.
pub(super) fn count(config: Config<'_>, names: &[&str]) -> Option<u32> {
    let default = || default_of(config.model_type(), names.first()?);
    config.count(names).or_else(default)
}

/// Number of different tokens.
pub(super) fn vocabulary(config: Config<'_>) -> Option<u32> {
    count(config, &["vocab_size", "padded_vocab_size"])
}

/// Whether the output layer is the table of embeddings.
pub(super) fn tied_embeddings(config: Config<'_>, layout: Option<Layout>) -> Option<bool> {
    config.flag("tie_word_embeddings").or_else(|| layout.map(|layout| layout.tied_embeddings))
}
