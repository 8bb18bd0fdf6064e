//! How long a context a model is configured for, by the rules with which vLLM reads the same file.

use serde_json::Value;

use super::layout;
use crate::config::Config;

const LONGEST: [&str; 6] =
    ["max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length", "n_ctx"];

/// Scalings that are already part of the configured length.
const INCLUDED: [&str; 5] = ["default", "longrope", "llama3", "mrope", "su"];

/// Longest context in tokens, stretched rotary positions included.
pub(super) fn longest(config: Config<'_>) -> Option<u32> {
    let positions = layout::count(config, &LONGEST)?;
    // Cohere writes what it trained for under this name, and less where others write it.
    let configured = config.count(&["model_max_length"]).map_or(positions, |longer| longer.max(positions));
    let stretched = stretched(config, f64::from(configured)).unwrap_or(f64::from(configured));
    (1.0..=f64::from(u32::MAX)).contains(&stretched).then_some(stretched as u32)
}

fn stretched(config: Config<'_>, configured: f64) -> Option<f64> {
    // Gemma 3 writes the stretched length.
    if config.model_type().starts_with("gemma3") {
        return None;
    }
    let scaling = config.value("rope_scaling").or_else(|| config.value("rope_parameters"))?;
    // Since transformers 5 there may be one for each kind of layer.
    let scaling = scaling.get("full_attention").unwrap_or(scaling);
    let kind = ["rope_type", "type"].iter().find_map(|name| scaling.get(*name)?.as_str())?;
    let factor = scaling.get("factor").and_then(Value::as_f64)?;
    match kind {
        "yarn" => {
            let original = scaling.get("original_max_position_embeddings").and_then(Value::as_f64);
            Some(original.unwrap_or(configured) * factor)
        }
        kind if INCLUDED.contains(&kind) => None,
        _ => Some(configured * factor),
    }
}

/// Tokens that some or all layers look back at, where those are fewer than the longest context.
pub(super) fn window(config: Config<'_>, longest: Option<u32>) -> Option<u32> {
    if config.flag("use_sliding_window") == Some(false) {
        return None;
    }
    let window = config.count(&["sliding_window", "attention_chunk_size"])?;
    longest.is_none_or(|longest| window < longest).then_some(window)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{longest, window};
    use crate::config::Config;

    #[test]
    fn stretched_positions_count_once() {
        let rows = [
            (json!({"max_position_embeddings": 4096}), Some(4096)),
            (
                json!({"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 4.0}}),
                Some(16_384),
            ),
            (
                json!({"max_position_embeddings": 4096, "rope_scaling": {"type": "dynamic", "factor": 2}}),
                Some(8192),
            ),
            (
                json!({"max_position_embeddings": 32_768, "rope_scaling":
                {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768}}),
                Some(131_072),
            ),
            (
                json!({"max_position_embeddings": 163_840, "rope_scaling":
                {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096}}),
                Some(163_840),
            ),
            (
                json!({"max_position_embeddings": 131_072, "rope_scaling":
                {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192}}),
                Some(131_072),
            ),
            (
                json!({"max_position_embeddings": 131_072, "rope_scaling": {"type": "longrope", "factor": 32}}),
                Some(131_072),
            ),
            (
                json!({"model_type": "gemma3_text", "rope_scaling": {"rope_type": "linear", "factor": 8}}),
                Some(131_072),
            ),
            (
                json!({"max_position_embeddings": 8192, "rope_parameters":
                {"full_attention": {"rope_type": "linear", "factor": 2.0}}}),
                Some(16_384),
            ),
            (
                json!({"max_position_embeddings": 8192, "rope_scaling": {"type": "linear", "factor": 1e30}}),
                None,
            ),
            (json!({"max_position_embeddings": 8192, "rope_scaling": "linear"}), Some(8192)),
            (json!({"max_position_embeddings": 8192, "model_max_length": 131_072}), Some(131_072)),
            (json!({}), None),
        ];
        for (json, expected) in rows {
            assert_eq!(longest(Config::of(&json).unwrap()), expected, "{json}");
        }
    }

    #[test]
    fn a_window_that_shortens_nothing_is_none() {
        let rows = [
            (json!({"sliding_window": 4096}), Some(4096)),
            (json!({"sliding_window": 4096, "use_sliding_window": false}), None),
            (json!({"sliding_window": 262_144}), None),
            (json!({"sliding_window": null}), None),
            (json!({"attention_chunk_size": 8192}), Some(8192)),
        ];
        for (json, expected) in rows {
            assert_eq!(window(Config::of(&json).unwrap(), Some(32_768)), expected, "{json}");
        }
    }
}
