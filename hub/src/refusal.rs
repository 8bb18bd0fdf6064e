//! Which repositories are no decoder language model, and why: pure functions of what the Hub answers.

use std::fmt;

use crate::answer::RepositoryInfo;
use crate::config::Config;
use crate::facts::is_known;

/// Why a repository cannot be benchmarked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is instead.
    pub reason: RefusalReason,
    /// The class that its configuration names.
    pub architecture: Option<String>,
}

/// What a repository is instead of a decoder language model that an engine can load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// Reads text and writes none.
    Encoder,
    /// Reads with one half and writes with the other, as T5 does.
    EncoderDecoder,
    /// Turns text into vectors.
    Embedding,
    /// Turns text into labels or scores.
    Classifier,
    /// Looks at pictures.
    Vision,
    /// Hears or speaks.
    Speech,
    /// Makes pictures or films.
    Diffusion,
    /// Has weights for llama.cpp alone.
    GgufOnly,
    /// Is a change to another model.
    Adapter,
    /// Has no `config.json`.
    NoConfiguration,
    /// Has layers, but nothing that writes.
    NoLanguageHead,
    /// Says nothing by which it could be told.
    Unrecognised,
}

impl RefusalReason {
    fn words(self) -> (&'static str, &'static str) {
        const DECODER: &str =
            "give a model that generates text token by token, such as meta-llama/Llama-3.1-8B-Instruct";
        match self {
            Self::Encoder => ("is an encoder: it reads text and writes none", DECODER),
            Self::EncoderDecoder => (
                "is an encoder-decoder: it reads with one half and writes with the other, which the engines do not serve",
                DECODER,
            ),
            Self::Embedding => ("turns text into vectors and writes none", DECODER),
            Self::Classifier => ("turns text into labels or scores and writes none", DECODER),
            Self::Vision => ("is a vision model and writes no text", DECODER),
            Self::Speech => ("is a speech or sound model, not a language model", DECODER),
            Self::Diffusion => ("makes pictures or films, not text", DECODER),
            Self::GgufOnly => (
                "has weights in GGUF alone, which is llama.cpp's format",
                "give the repository that it was converted from, which its card names as base model",
            ),
            Self::Adapter => (
                "is an adapter (LoRA): a change to another model, without weights of its own",
                "give the base model that its adapter_config.json names, or a repository with both merged",
            ),
            Self::NoConfiguration => (
                "has no config.json, without which an engine cannot load it",
                "give a repository in the format of transformers; many models have one beside their original, with `-hf` in its name",
            ),
            Self::NoLanguageHead => {
                ("has the layers of a language model, but none that writes tokens", DECODER)
            }
            Self::Unrecognised => (
                "says nothing by which it could be told to be a decoder language model",
                "check that its config.json names an architecture that ends in ForCausalLM",
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, way_out) = self.reason.words();
        match &self.architecture {
            Some(architecture) => write!(formatter, "{what} (its architecture is {architecture}); {way_out}"),
            None => write!(formatter, "{what}; {way_out}"),
        }
    }
}

/// What the repository's description alone tells: known even where its files may not be read.
pub(crate) fn by_description(info: &RepositoryInfo) -> Option<Refusal> {
    let reason = match (info.library.as_deref(), info.pipeline_tag.as_deref()) {
        (Some("diffusers"), _) => Some(RefusalReason::Diffusion),
        (Some("sentence-transformers"), _) => Some(RefusalReason::Embedding),
        (_, Some(tag)) => by_tag(tag),
        (_, None) => None,
    };
    let reason = reason.or_else(|| by_files(info))?;
    Some(Refusal { reason, architecture: None })
}

fn by_tag(tag: &str) -> Option<RefusalReason> {
    Some(match tag {
        "feature-extraction" | "sentence-similarity" | "text-ranking" => RefusalReason::Embedding,
        "automatic-speech-recognition"
        | "audio-classification"
        | "audio-to-audio"
        | "text-to-audio"
        | "text-to-speech"
        | "voice-activity-detection" => RefusalReason::Speech,
        "depth-estimation"
        | "image-classification"
        | "image-feature-extraction"
        | "image-segmentation"
        | "mask-generation"
        | "object-detection"
        | "video-classification"
        | "zero-shot-image-classification"
        | "zero-shot-object-detection" => RefusalReason::Vision,
        "image-to-image"
        | "image-to-video"
        | "text-to-image"
        | "text-to-video"
        | "text-to-3d"
        | "unconditional-image-generation" => RefusalReason::Diffusion,
        _ => return None,
    })
}

fn by_files(info: &RepositoryInfo) -> Option<RefusalReason> {
    let has_weights = info.has_ending(".safetensors") || info.has_ending(".bin");
    if info.has("model_index.json") {
        Some(RefusalReason::Diffusion)
    } else if info.files.is_empty() {
        // The Hub did not list them.
        None
    } else if info.has_ending(".gguf") && !has_weights {
        Some(RefusalReason::GgufOnly)
    } else if info.has("config.json") {
        None
    } else if info.has("adapter_config.json") {
        Some(RefusalReason::Adapter)
    } else {
        Some(RefusalReason::NoConfiguration)
    }
}

const ENCODERS: [&str; 16] = [
    "albert",
    "bert",
    "big_bird",
    "camembert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "esm",
    "longformer",
    "modernbert",
    "mpnet",
    "nomic_bert",
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
];

const ENCODER_DECODERS: [&str; 18] = [
    "bart",
    "blenderbot",
    "byt5",
    "fsmt",
    "led",
    "longt5",
    "m2m_100",
    "marian",
    "mbart",
    "mt5",
    "pegasus",
    "pegasus_x",
    "prophetnet",
    "switch_transformers",
    "t5",
    "t5gemma",
    "udop",
    "umt5",
];

const VISION: [&str; 18] = [
    "align",
    "beit",
    "clip",
    "convnext",
    "convnextv2",
    "deit",
    "detr",
    "dinov2",
    "dpt",
    "resnet",
    "sam",
    "segformer",
    "siglip",
    "siglip2",
    "swin",
    "vit",
    "vit_mae",
    "yolos",
];

const SPEECH: [&str; 13] = [
    "bark",
    "encodec",
    "hubert",
    "moonshine",
    "musicgen",
    "seamless_m4t",
    "seamless_m4t_v2",
    "speech_to_text",
    "speecht5",
    "vits",
    "wav2vec2",
    "wavlm",
    "whisper",
];

/// What the configuration tells.
pub(crate) fn by_configuration(config: Config<'_>) -> Option<Refusal> {
    let architecture = config.architecture();
    let reason = by_kind(config).or_else(|| by_architecture(config, architecture))?;
    Some(Refusal { reason, architecture: architecture.map(shortened) })
}

fn by_kind(config: Config<'_>) -> Option<RefusalReason> {
    let kind = config.whole_model_type();
    if SPEECH.contains(&kind) {
        Some(RefusalReason::Speech)
    } else if VISION.contains(&kind) {
        Some(RefusalReason::Vision)
    } else if ENCODER_DECODERS.contains(&kind) || config.flag("is_encoder_decoder") == Some(true) {
        Some(RefusalReason::EncoderDecoder)
    } else if ENCODERS.contains(&kind) && config.flag("is_decoder") != Some(true) {
        Some(RefusalReason::Encoder)
    } else {
        None
    }
}

fn by_architecture(config: Config<'_>, architecture: Option<&str>) -> Option<RefusalReason> {
    let Some(name) = architecture else {
        // Old repositories name no class; heads and layers are enough to go by where the kind is a decoder's.
        let heads = config.count(&["num_attention_heads", "n_head", "n_heads"]);
        return heads.is_none().then_some(RefusalReason::Unrecognised);
    };
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if is_known(name) || ends(&["ForCausalLM", "LMHeadModel"]) {
        None
    } else if ends(&["ForMaskedLM", "ForPreTraining"]) {
        Some(RefusalReason::Encoder)
    } else if ends(&["Classification", "RewardModel", "ForQuestionAnswering", "ForScore", "ForRanking"]) {
        Some(RefusalReason::Classifier)
    } else if ends(&["ForConditionalGeneration"]) && (config.is_wrapper() || sees(config)) {
        None
    } else if ends(&["Model"]) {
        Some(RefusalReason::NoLanguageHead)
    } else {
        Some(RefusalReason::Unrecognised)
    }
}

fn sees(config: Config<'_>) -> bool {
    config.value("vision_config").is_some()
}

/// The name is a stranger's.
fn shortened(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{RefusalReason, by_configuration, by_description};
    use crate::answer::RepositoryInfo;
    use crate::config::Config;

    #[test]
    fn a_configuration_tells_decoders_from_others() {
        use RefusalReason::{
            Classifier, Encoder, EncoderDecoder, NoLanguageHead, Speech, Unrecognised, Vision,
        };
        let arch = |name: &str, kind: &str| json!({"architectures": [name], "model_type": kind});
        let rows: Vec<(Value, Option<RefusalReason>)> = vec![
            (arch("LlamaForCausalLM", "llama"), None),
            (arch("GPT2LMHeadModel", "gpt2"), None),
            (arch("BrandNewForCausalLM", "brand_new"), None),
            (arch("ChatGLMModel", "chatglm"), None),
            (json!({"architectures": ["Gemma3ForConditionalGeneration"], "text_config": {}}), None),
            (json!({"architectures": ["NewForConditionalGeneration"], "text_config": {}}), None),
            (json!({"model_type": "llama", "num_attention_heads": 32}), None),
            (arch("BertForMaskedLM", "bert"), Some(Encoder)),
            (arch("BertLMHeadModel", "bert"), Some(Encoder)),
            (arch("RobertaModel", "roberta"), Some(Encoder)),
            (arch("T5ForConditionalGeneration", "t5"), Some(EncoderDecoder)),
            (
                json!({"architectures": ["XForConditionalGeneration"], "is_encoder_decoder": true}),
                Some(EncoderDecoder),
            ),
            (arch("WhisperForConditionalGeneration", "whisper"), Some(Speech)),
            (arch("ViTForImageClassification", "vit"), Some(Vision)),
            (arch("CLIPModel", "clip"), Some(Vision)),
            (arch("LlamaForSequenceClassification", "llama"), Some(Classifier)),
            (arch("Qwen2ForRewardModel", "qwen2"), Some(Classifier)),
            (arch("MistralModel", "mistral"), Some(NoLanguageHead)),
            (arch("SomethingForConditionalGeneration", "something"), Some(Unrecognised)),
            (json!({}), Some(Unrecognised)),
        ];
        for (json, expected) in rows {
            let refusal = by_configuration(Config::of(&json).unwrap());
            assert_eq!(refusal.map(|refusal| refusal.reason), expected, "{json}");
        }
    }

    #[test]
    fn a_description_tells_what_no_engine_loads() {
        use RefusalReason::{Adapter, Diffusion, Embedding, GgufOnly, NoConfiguration, Speech};
        let files =
            |names: &[&str]| -> Value { names.iter().map(|name| json!({"rfilename": name})).collect() };
        let rows = [
            (
                json!({"siblings": files(&["config.json", "model.safetensors"]), "pipeline_tag": "text-generation"}),
                None,
            ),
            (json!({}), None),
            (json!({"library_name": "diffusers"}), Some(Diffusion)),
            (json!({"siblings": files(&["model_index.json", "unet/config.json"])}), Some(Diffusion)),
            (json!({"library_name": "sentence-transformers"}), Some(Embedding)),
            (json!({"pipeline_tag": "feature-extraction"}), Some(Embedding)),
            (json!({"pipeline_tag": "automatic-speech-recognition"}), Some(Speech)),
            (json!({"siblings": files(&["README.md", "model-q4.gguf"])}), Some(GgufOnly)),
            (json!({"siblings": files(&["config.json", "model-q4.gguf"])}), Some(GgufOnly)),
            (
                json!({"siblings": files(&["adapter_config.json", "adapter_model.safetensors"])}),
                Some(Adapter),
            ),
            (json!({"siblings": files(&["params.json", "consolidated.00.pth"])}), Some(NoConfiguration)),
        ];
        for (mut json, expected) in rows {
            json["sha"] = json!("0123456789abcdef0123456789abcdef01234567");
            let refusal = by_description(&RepositoryInfo::read(&json).unwrap());
            assert_eq!(refusal.map(|refusal| refusal.reason), expected, "{json}");
        }
    }

    #[test]
    fn every_refusal_ends_in_a_way_out() {
        let json = json!({"architectures": ["BertForMaskedLM"], "model_type": "bert"});
        let refusal = by_configuration(Config::of(&json).unwrap()).unwrap();
        assert_eq!(
            refusal.to_string(),
            "is an encoder: it reads text and writes none (its architecture is BertForMaskedLM); give a model \
             that generates text token by token, such as meta-llama/Llama-3.1-8B-Instruct"
        );
    }
}
