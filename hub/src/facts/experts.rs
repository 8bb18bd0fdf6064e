//! The experts of a mixture.

use accelbench_core::fit::Experts;
use serde_json::Value;

use super::layout;
use crate::config::Config;

/// How many experts a layer has and uses.
pub(super) fn read(config: Config<'_>) -> Option<Experts> {
    const COUNT: [&str; 5] = [
        "num_local_experts",
        "num_experts",
        "n_routed_experts",
        "moe_num_experts",
        "ffn_config.moe_num_experts",
    ];
    const PER_TOKEN: [&str; 6] = [
        "num_experts_per_tok",
        "num_experts_per_token",
        "experts_per_token",
        "moe_k",
        "moe_topk",
        "ffn_config.moe_top_k",
    ];
    let count = config.count(&COUNT).filter(|count| *count > 1)?;
    let per_token = config.count(&PER_TOKEN).filter(|per_token| *per_token <= count)?;
    Some(Experts { count, per_token })
}

/// Width of one expert.
pub(super) fn width(config: Config<'_>) -> Option<u32> {
    let own = ["moe_intermediate_size", "expert_ffn_hidden_size", "ffn_config.ffn_hidden_size"];
    config.count(&own).or_else(|| layout::count(config, &["intermediate_size"]))
}

/// Width of what every token uses beside the chosen experts.
pub(super) fn shared_width(config: Config<'_>) -> Option<f64> {
    let whole = config.count(&["shared_expert_intermediate_size", "shared_intermediate_size"]);
    if let Some(whole) = whole {
        return Some(f64::from(whole));
    }
    let shared = match config.model_type() {
        "llama4_text" => 1,
        _ => config
            .count_or_zero(&["n_shared_experts", "num_shared_experts", "moe_num_shared_experts"])
            .unwrap_or(0),
    };
    Some(f64::from(shared) * f64::from(width(config)?))
}

/// How many of the layers are mixtures; the others have a plain feed-forward layer.
pub(super) fn mixture_layers(config: Config<'_>, layers: u32) -> u32 {
    if let Some(marks) = config.value("moe_layer_freq").and_then(Value::as_array) {
        let mixtures = marks.iter().filter(|mark| mark.as_u64() == Some(1)).count();
        return u32::try_from(mixtures).unwrap_or(u32::MAX).min(layers);
    }
    let step = config.count(&["interleave_moe_layer_step", "decoder_sparse_step", "moe_layer_freq"]);
    let dense_first = config.count_or_zero(&["first_k_dense_replace", "moe_layer_start_index"]).unwrap_or(0);
    let dense_by_name = config.value("mlp_only_layers").and_then(Value::as_array).map_or(0, Vec::len);
    let dense = dense_first.saturating_add(u32::try_from(dense_by_name).unwrap_or(u32::MAX));
    layers.saturating_sub(dense) / step.unwrap_or(1)
}
