use accelbench_core::fit::ModelFacts;
use accelbench_core::model::{Model, Quantization};
use accelbench_hub::{
    Access, HubError, ParameterBasis, RefusalReason, WeightFormat, WeightsBasis, WeightsSize,
};
use serde_json::{Value, json};

use crate::double::{
    self, Answer, COMMIT, Client as _, HubDouble, configuration, described, description, model, refusal,
    timeouts,
};

#[tokio::test]
async fn a_name_becomes_a_commit_and_facts() {
    let double = double::with(description(), configuration()).await;
    let resolved = double.resolve(None).await.unwrap();
    assert_eq!((resolved.revision.as_str(), resolved.access), (COMMIT, Access::Open));
    assert_eq!(resolved.weights, Some(WeightsSize { bytes: 16_381_516_000, basis: WeightsBasis::Files }));
    let parameters = resolved.facts.parameters.unwrap();
    assert_eq!((parameters.total_b, parameters.basis), (8.190_735_36, ParameterBasis::Safetensors));
    assert_eq!(resolved.facts.published_as(), Some(Quantization::Bf16));
    let model = Model::from(&resolved);
    assert_eq!((model.family.as_deref(), model.licence.as_deref()), (Some("qwen3"), Some("apache-2.0")));
    assert_eq!((model.layers, model.max_context_tokens, model.gated), (Some(36), Some(40_960), Some(false)));
    let source =
        format!("127.0.0.1/Qwen/Qwen3-8B@{COMMIT} config.json, parameters counted in the safetensors files");
    assert_eq!(model.source, source);
    let facts = ModelFacts::from(&resolved.facts);
    assert_eq!((facts.attention_heads, facts.kv_heads), (Some(32), Some(8)));
    assert_eq!(facts.kv_cache_bytes_per_token, Some(147_456.0));
}

#[tokio::test]
async fn facts_are_read_at_the_commit_that_is_named() {
    let double = double::with(description(), configuration()).await;
    double.resolve(None).await.unwrap();
    let config = format!("/Qwen/Qwen3-8B/resolve/{COMMIT}/config.json");
    assert_eq!(double.targets(), ["/api/models/Qwen/Qwen3-8B?blobs=true".to_owned(), config]);
    assert!(double.asked().iter().all(|asked| asked.authorization.is_none()));
}

#[tokio::test]
async fn a_revision_is_one_part_of_the_address() {
    let double = double::with(description(), configuration()).await;
    let rows = [("v1.0", "v1.0"), ("refs/pr/1", "refs%2Fpr%2F1"), ("a?b#c%2F", "a%3Fb%23c%252F")];
    for (revision, part) in rows {
        double.client().resolve(&model(), Some(revision), None).await.unwrap();
        let target = format!("/api/models/Qwen/Qwen3-8B/revision/{part}?blobs=true");
        assert!(double.targets().contains(&target), "{:?}", double.targets());
    }
    let before = double.asked().len();
    for revision in ["", ".", "..", "a/../b", "a b", "\u{e9}", "/main"] {
        let error = double.client().resolve(&model(), Some(revision), None).await.unwrap_err();
        assert!(matches!(error, HubError::InvalidRevision(_)), "{error}");
    }
    assert_eq!(double.asked().len(), before);
}

#[tokio::test]
async fn a_mirror_may_have_a_path() {
    let double = double::with(description(), configuration()).await;
    let url = double.url.join("mirror/hf/").unwrap();
    let error = accelbench_hub::Hub::new(&url, timeouts()).unwrap().resolve(&model(), None, None).await;
    assert!(error.is_err());
    assert_eq!(double.targets(), ["/mirror/hf/api/models/Qwen/Qwen3-8B?blobs=true"]);
}

#[test]
fn an_address_that_no_hub_has_is_refused_without_its_password() {
    for address in
        ["ftp://example.com", "https://me:hunter2@example.com/", "https://example.com/?key=hunter2"]
    {
        let error = accelbench_hub::Hub::new(&address.parse().unwrap(), timeouts()).unwrap_err();
        assert!(matches!(error, HubError::InvalidBaseUrl(_)));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_decoder_is_refused_with_the_reason() {
    let bert = json!({"architectures": ["BertForMaskedLM"], "model_type": "bert"});
    let rows = [
        (description(), bert, RefusalReason::Encoder),
        (described("library_name", json!("diffusers")), json!({}), RefusalReason::Diffusion),
        (described("siblings", json!([{"rfilename": "m.gguf"}])), json!({}), RefusalReason::GgufOnly),
    ];
    for (description, configuration, reason) in rows {
        let double = double::with(description, configuration).await;
        match double.resolve(None).await.unwrap_err() {
            HubError::NotADecoder { refusal, .. } => assert_eq!(refusal.reason, reason),
            error => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_listed_configuration_that_is_not_there_is_none() {
    let double = double::start(|asked| match asked.number {
        0 => Answer::Json(description()),
        _ => refusal(404, "EntryNotFound", "Entry not found"),
    })
    .await;
    let error = double.resolve(None).await.unwrap_err().to_string();
    assert!(error.starts_with("Qwen/Qwen3-8B has no config.json"), "{error}");
}

#[tokio::test]
async fn modelopt_is_asked_for_its_own_file() {
    let files = json!([{"rfilename": "config.json"}, {"rfilename": "hf_quant_config.json"},
        {"rfilename": "model.safetensors", "size": 7}]);
    let double = answering(
        described("siblings", files),
        "/hf_quant_config.json",
        json!({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}}),
    )
    .await;
    let facts = double.resolve(None).await.unwrap().facts;
    assert_eq!(facts.quantization.unwrap().format, WeightFormat::Nvfp4);
    assert_eq!(facts.parameters.unwrap().basis, ParameterBasis::Configuration);
}

#[tokio::test]
async fn without_sizes_the_index_tells() {
    let files = json!([{"rfilename": "config.json"}, {"rfilename": "model.safetensors.index.json"},
        {"rfilename": "model-00001-of-00001.safetensors"}]);
    let mut description = described("siblings", files);
    description.as_object_mut().unwrap().remove("safetensors");
    let index = json!({"metadata": {"total_size": 16_381_470_720_u64}, "weight_map": {}});
    let double = answering(description, "/model.safetensors.index.json", index).await;
    let weights = double.resolve(None).await.unwrap().weights.unwrap();
    assert_eq!((weights.bytes, weights.basis), (16_381_470_720, WeightsBasis::Index));
}

async fn answering(description: Value, file: &'static str, content: Value) -> HubDouble {
    double::start(move |asked| match asked.target.as_str() {
        target if target.starts_with("/api/models/") => Answer::Json(description.clone()),
        target if target.ends_with(file) => Answer::Json(content.clone()),
        _ => Answer::Json(configuration()),
    })
    .await
}
