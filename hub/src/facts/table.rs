//! Real architectures, against the numbers of the catalog's seed. See `tests-data/README.md`.

use std::collections::HashMap;

use accelbench_core::model::ModelId;
use serde::Deserialize;
use serde_json::Value;

use super::{Attention, Beside, DecoderFacts, ParameterBasis, WeightFormat};
use crate::config::Config;
use crate::refusal::by_configuration;

const CONFIGS: &str = include_str!("../../tests-data/configs.jsonl");
const SEED: &str = include_str!("../../../store/seed/models.csv");

/// Biases and the norms of some architectures are not counted.
const TOLERANCE: f64 = 0.002;
/// Where the seed has a number that is not from a configuration's file, but from another program's table.
const CONTEXT_SLIPS: [(&str, u32); 1] = [("google/gemma-3-1b-it", 131_072)];

#[derive(Deserialize)]
struct Row {
    model: ModelId,
    expected: Option<Expected>,
    config: Value,
}

#[derive(Deserialize, Debug, Clone, Copy)]
struct Expected {
    total_b: Option<f64>,
    active_b: Option<f64>,
    kv_cache_bytes_per_token: Option<f64>,
    layers: Option<u32>,
    max_context_tokens: Option<u32>,
}

fn rows() -> Vec<Row> {
    CONFIGS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn seed() -> HashMap<&'static str, Expected> {
    let row = |line: &'static str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |index: usize| fields[index].parse().ok();
        let expected = Expected {
            total_b: number(2),
            active_b: number(3),
            layers: fields[4].parse().ok(),
            kv_cache_bytes_per_token: number(5),
            max_context_tokens: fields[6].parse().ok(),
        };
        (fields[0], expected)
    };
    SEED.lines().skip(1).map(row).collect()
}

fn facts(row: &Row) -> DecoderFacts {
    let config = Config::of(&row.config).unwrap();
    assert_eq!(by_configuration(config), None, "{}", row.model);
    DecoderFacts::read(config, Beside { model: &row.model, stored_elements: None, modelopt: None })
}

fn facts_of(model: &str) -> DecoderFacts {
    facts(rows().iter().find(|row| row.model.as_str() == model).unwrap())
}

fn is_near(read: Option<f64>, expected: Option<f64>) -> bool {
    match (read, expected) {
        (Some(read), Some(expected)) => (read / expected - 1.0).abs() <= TOLERANCE,
        (read, expected) => read == expected,
    }
}

#[test]
fn real_architectures_have_the_seeds_numbers() {
    let seed = seed();
    let (mut wrong, mut worst) = (Vec::new(), 0.0_f64);
    for row in rows() {
        let facts = facts(&row);
        let expected = row.expected.unwrap_or_else(|| seed[row.model.as_str()]);
        let total_b = facts.parameters.map(|parameters| parameters.total_b);
        let active_b = facts.parameters.and_then(|parameters| parameters.active_b);
        worst = worst.max(total_b.zip(expected.total_b).map_or(0.0, |(a, b)| (a / b - 1.0).abs()));
        let slip = CONTEXT_SLIPS.iter().any(|(model, tokens)| {
            *model == row.model.as_str() && Some(*tokens) == expected.max_context_tokens
        });
        // The seed leaves out contexts on which its sources differ.
        let context = slip
            || expected.max_context_tokens.is_none()
            || facts.max_context_tokens == expected.max_context_tokens;
        let right = is_near(total_b, expected.total_b)
            && is_near(active_b, expected.active_b)
            && facts.kv_cache_bytes_per_token == expected.kv_cache_bytes_per_token
            && (expected.layers.is_none() || facts.layers == expected.layers)
            && context;
        if !right {
            wrong.push(format!(
                "{}: {total_b:?} {active_b:?} {:?} {:?} {:?}, not {expected:?}",
                row.model, facts.kv_cache_bytes_per_token, facts.layers, facts.max_context_tokens
            ));
        }
    }
    println!("{} models, worst total {:.3} %", rows().len(), worst * 100.0);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_is_computed_from_its_configuration() {
    for row in rows() {
        let basis = facts(&row).parameters.map(|parameters| parameters.basis);
        assert!(matches!(basis, None | Some(ParameterBasis::Configuration)), "{}", row.model);
    }
}

#[test]
fn the_kinds_of_attention_are_told_apart() {
    let rows = [
        ("meta-llama/Llama-2-7b-hf", Attention::MultiHead),
        ("meta-llama/Llama-3.1-8B", Attention::GroupedQuery),
        ("tiiuae/falcon-7b", Attention::MultiQuery),
        ("deepseek-ai/DeepSeek-V3", Attention::Latent),
        ("Qwen/Qwen3.5-27B", Attention::Mixed),
        ("deepseek-ai/DeepSeek-V3.2", Attention::Mixed),
    ];
    for (model, attention) in rows {
        assert_eq!(facts_of(model).attention, Some(attention), "{model}");
    }
    let latent = facts_of("deepseek-ai/DeepSeek-V3");
    assert_eq!((latent.kv_heads, accelbench_core::fit::ModelFacts::from(&latent).kv_heads), (None, Some(1)));
}

#[test]
fn windows_are_said_where_they_shorten() {
    let rows = [
        ("mistralai/Mistral-7B-v0.1", Some(4096)),
        ("mistralai/Mistral-7B-Instruct-v0.3", None),
        ("openai/gpt-oss-120b", Some(128)),
        ("google/gemma-3-27b-it", Some(1024)),
        ("microsoft/Phi-3-mini-128k-instruct", None),
        ("Qwen/Qwen2-7B", None),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", Some(8192)),
    ];
    for (model, window) in rows {
        assert_eq!(facts_of(model).sliding_window_tokens, window, "{model}");
    }
}

#[test]
fn quantisation_and_needs_are_read() {
    let format = |model: &str| facts_of(model).quantization.map(|native| native.format);
    assert_eq!(format("deepseek-ai/DeepSeek-V3"), Some(WeightFormat::Fp8));
    assert_eq!(format("openai/gpt-oss-20b"), Some(WeightFormat::Mxfp4));
    assert_eq!(format("moonshotai/Kimi-K2.5"), Some(WeightFormat::Int4));
    assert_eq!(format("Qwen/Qwen3-8B"), None);
    assert!(rows().iter().all(|row| !facts(row).needs_remote_code));
}
