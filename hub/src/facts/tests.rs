use proptest::prelude::{BoxedStrategy, Just, Strategy as _, any, prop, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::{Beside, DecoderFacts, ParameterBasis};
use crate::answer::RepositoryInfo;
use crate::config::Config;
use crate::refusal::{by_configuration, by_description};

fn read(json: &Value, stored_elements: Option<f64>) -> DecoderFacts {
    let model = "me/model".parse().unwrap();
    let beside = Beside { model: &model, stored_elements, modelopt: None };
    DecoderFacts::read(Config::of(json).unwrap(), beside)
}

fn llama() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "intermediate_size": 14336, "vocab_size": 128_256, "max_position_embeddings": 8192,
    })
}

#[test]
fn what_was_counted_goes_before_what_is_computed() {
    let counted = read(&llama(), Some(8.03e9)).parameters.unwrap();
    assert_eq!((counted.total_b, counted.basis), (8.03, ParameterBasis::Safetensors));
    assert_eq!(counted.active_b, Some(8.03));
    let computed = read(&llama(), None).parameters.unwrap();
    assert_eq!(computed.basis, ParameterBasis::Configuration);
}

#[test]
fn packed_elements_do_not_count_as_weights() {
    let mut json = llama();
    json["quantization_config"] = json!({"quant_method": "awq", "bits": 4});
    let parameters = read(&json, Some(1.98e9)).parameters.unwrap();
    assert_eq!(parameters.basis, ParameterBasis::Configuration);
    assert!((parameters.total_b - 8.03).abs() < 0.01);
    json["model_type"] = json!("unheard_of");
    assert_eq!(read(&json, Some(1.98e9)).parameters, None);
}

#[test]
fn an_unknown_kind_keeps_what_its_file_says() {
    let mut json = llama();
    json["model_type"] = json!("unheard_of");
    json["architectures"] = json!(["UnheardOfForCausalLM"]);
    json["auto_map"] = json!({"AutoModelForCausalLM": "modeling.UnheardOfForCausalLM"});
    let facts = read(&json, None);
    assert_eq!((facts.parameters, facts.kv_cache_bytes_per_token), (None, Some(131_072.0)));
    assert!(facts.needs_remote_code);
    json.as_object_mut().unwrap().remove("num_key_value_heads");
    assert_eq!(read(&json, None).kv_cache_bytes_per_token, None);
}

#[test]
fn a_mixture_that_is_not_understood_is_not_dense() {
    let json = json!({"model_type": "unheard_of", "num_experts": 64});
    let parameters = read(&json, Some(30e9)).parameters.unwrap();
    assert_eq!((parameters.total_b, parameters.active_b), (30.0, None));
}

/// Names that the crate reads, so that arbitrary files come near real ones.
const NAMES: [&str; 40] = [
    "architectures",
    "model_type",
    "text_config",
    "vision_config",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "rope_scaling",
    "rope_type",
    "type",
    "factor",
    "full_attention",
    "original_max_position_embeddings",
    "sliding_window",
    "layer_types",
    "num_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "moe_layer_freq",
    "first_k_dense_replace",
    "mlp_only_layers",
    "decoder_sparse_step",
    "kv_lora_rank",
    "qk_rope_head_dim",
    "qk_nope_head_dim",
    "v_head_dim",
    "quantization_config",
    "quant_method",
    "config_groups",
    "weights",
    "num_bits",
    "sha",
    "siblings",
    "safetensors",
    "cardData",
];

fn scalar() -> BoxedStrategy<Value> {
    let words = [
        "llama",
        "gemma3_text",
        "falcon",
        "LlamaForCausalLM",
        "yarn",
        "linear",
        "fp8",
        "compressed-tensors",
        "0123456789abcdef0123456789abcdef01234567",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u32..200).prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ]
    .boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![8 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"].boxed()
}

fn json() -> BoxedStrategy<Value> {
    scalar()
        .prop_recursive(4, 80, 10, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((name(), inner), 0..16)
                    .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Map<_, _>>())),
            ]
        })
        .boxed()
}

proptest! {
    #[test]
    fn no_json_makes_the_reading_panic(config in json(), description in json(), elements in any::<Option<f64>>()) {
        if let Ok(info) = RepositoryInfo::read(&description) {
            let _ = (by_description(&info), info.weights());
        }
        if let Some(view) = Config::of(&config) {
            let _ = by_configuration(view);
            let facts = read(&config, elements);
            if let Some(parameters) = facts.parameters {
                assert!(parameters.total_b > 0.0 && parameters.active_b.is_none_or(|active| active > 0.0));
            }
            serde_json::to_string(&facts).unwrap();
        }
    }
}
