//! How many parameters a model has, and how many of them work on one token.

use accelbench_core::fit::Experts;
use serde::{Deserialize, Serialize};

use super::attention::is_mixed;
use super::layout::{self, FeedForward, Layout};
use super::{NativeQuantization, experts};
use crate::config::Config;

/// How many parameters a model has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// All, in 10^9.
    pub total_b: f64,
    /// Those used for one token, embeddings included, in 10^9; `None` when a mixture does not say enough.
    pub active_b: Option<f64>,
    /// Where the total is from.
    pub basis: ParameterBasis,
}

/// Where a number of parameters is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterBasis {
    /// Counted by the Hub in the safetensors files: all of what is stored, vision towers, draft layers and scales too.
    Safetensors,
    /// Computed from the configuration: the matrices of the language model, without biases and scales, which are under
    /// 0.1 % of the whole.
    Configuration,
}

impl ParameterBasis {
    /// The words for a person.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Safetensors => "parameters counted in the safetensors files",
            Self::Configuration => "parameters computed from the configuration",
        }
    }
}

impl Parameters {
    pub(super) fn read(
        config: Config<'_>,
        layout: Option<Layout>,
        quantization: Option<&NativeQuantization>,
        stored_elements: Option<f64>,
    ) -> Option<Self> {
        let computed = layout.and_then(|layout| Sizes::read(config, layout));
        // A packed element holds several weights.
        let packed = quantization.is_some_and(|native| native.is_packed);
        let counted = stored_elements.filter(|elements| elements.is_finite() && *elements > 0.0 && !packed);
        let (total, basis) = match (counted, computed) {
            (Some(counted), _) => (counted, ParameterBasis::Safetensors),
            (None, Some(sizes)) => (sizes.total(), ParameterBasis::Configuration),
            (None, None) => return None,
        };
        let idle = match computed {
            Some(sizes) => Some(sizes.idle),
            None if experts::read(config).is_none() && !names_experts(config) => Some(0.0),
            None => None,
        };
        let active = idle.map(|idle| (total - idle) / 1e9).filter(|active| *active > 0.0);
        Some(Self { total_b: total / 1e9, active_b: active, basis })
    }
}

/// A mixture whose numbers are not understood must not pass for a dense model.
fn names_experts(config: Config<'_>) -> bool {
    ["num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"]
        .iter()
        .any(|name| config.value(name).is_some_and(|value| value.as_f64().is_none_or(|count| count > 1.0)))
}

/// Numbers of parameters. Floats, since a stranger's numbers may multiply to anything.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    embeddings: f64,
    attention: f64,
    feed_forward: f64,
    /// Those of `feed_forward` that experts hold which do not work on a given token.
    idle: f64,
}

impl Sizes {
    fn total(self) -> f64 {
        self.embeddings + self.attention + self.feed_forward
    }

    fn read(config: Config<'_>, layout: Layout) -> Option<Self> {
        // Layers that differ are not described by one set of numbers.
        if is_mixed(config) {
            return None;
        }
        let shape = super::Shape::read(config, Some(layout));
        let (layers, hidden) = (f64::from(shape.layers?), f64::from(shape.hidden_size?));
        let attention = if let Some(compressed) = config.count(&["kv_lora_rank"]) {
            latent_attention(config, hidden, f64::from(compressed))?
        } else {
            let (queries, keys) = (f64::from(shape.attention_heads?), f64::from(shape.kv_heads?));
            2.0 * hidden * (queries + keys) * f64::from(shape.head_dim?)
        };
        let norms = 2.0 * hidden;
        let (feed_forward, idle) = feed_forward(config, layout, shape.layers?, hidden)?;
        Some(Self {
            embeddings: embeddings(config, layout, hidden)?,
            attention: layers * (attention + norms),
            feed_forward,
            idle,
        })
    }
}

fn embeddings(config: Config<'_>, layout: Layout, hidden: f64) -> Option<f64> {
    let vocabulary = f64::from(layout::vocabulary(config)?);
    let tables = if layout::tied_embeddings(config, Some(layout))? { 1.0 } else { 2.0 };
    let positions = if layout.learned_positions {
        f64::from(config.count(&["n_positions", "max_position_embeddings"])?)
    } else {
        0.0
    };
    Some((vocabulary * tables + positions + 1.0) * hidden)
}

/// DeepSeek's attention: queries and keys go through compressed states.
fn latent_attention(config: Config<'_>, hidden: f64, compressed: f64) -> Option<f64> {
    let number = |name: &str| config.count(&[name]).map(f64::from);
    let heads = number("num_attention_heads")?;
    let (without_position, rotary) = (number("qk_nope_head_dim")?, number("qk_rope_head_dim")?);
    let value = number("v_head_dim")?;
    let all_queries = heads * (without_position + rotary);
    let queries = match number("q_lora_rank") {
        Some(rank) => rank * (hidden + all_queries),
        None => hidden * all_queries,
    };
    let keys = hidden * (compressed + rotary) + compressed * heads * (without_position + value);
    Some(queries + keys + heads * value * hidden)
}

/// All parameters of the feed-forward layers, and those that do not work on a given token.
fn feed_forward(config: Config<'_>, layout: Layout, layers: u32, hidden: f64) -> Option<(f64, f64)> {
    let matrices = match layout.feed_forward {
        FeedForward::Gated => 3.0,
        FeedForward::Plain => 2.0,
    };
    let of_width = |width: f64| matrices * hidden * width;
    let Some(Experts { count, per_token }) = experts::read(config) else {
        if names_experts(config) {
            return None;
        }
        return Some((f64::from(layers) * of_width(width(config, layout, hidden)?), 0.0));
    };
    let mixtures = experts::mixture_layers(config, layers);
    let one = of_width(f64::from(experts::width(config)?));
    let shared = of_width(experts::shared_width(config)?);
    let router = hidden * f64::from(count);
    let mixture = f64::from(count) * one + shared + router;
    let dense = if mixtures < layers { of_width(width(config, layout, hidden)?) } else { 0.0 };
    let total = f64::from(mixtures) * mixture + f64::from(layers - mixtures) * dense;
    Some((total, f64::from(mixtures) * f64::from(count - per_token) * one))
}

/// Width of a plain feed-forward layer.
fn width(config: Config<'_>, layout: Layout, hidden: f64) -> Option<f64> {
    let names = ["intermediate_size_mlp", "intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim"];
    let written = config.count(&names).or_else(|| layout::count(config, &["intermediate_size"]));
    let usual = || match layout.feed_forward {
        FeedForward::Plain => Some(hidden * config.number("expansion_ratio").unwrap_or(4.0)),
        FeedForward::Gated => None,
    };
    written.map(f64::from).or_else(usual)
}
