//! What a quantisation means on a chip: the flags that ask for it, and an honest label. The same word is a different
//! kernel on each generation: FP8 on Ampere only stores 8 bits and computes in 16.

use serde::{Deserialize, Serialize};

use super::{ChipGeneration, Nearest, ProfileName, Unsupported};
use crate::model::{Model, Quantization};

/// How weights are stored and computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// The label for a person: widths of weights (W) and activations (A), and the method.
    pub label: String,
    /// How the weights lie on the accelerator.
    pub quantization: Quantization,
    /// How they are downloaded.
    pub published: Quantization,
    /// The engine's arguments that ask for it.
    pub arguments: Vec<String>,
}

/// Names of checkpoints say how they are quantised; the order matters, since some name both.
const MARKS: [(&str, Quantization); 11] = [
    ("nvfp4", Quantization::Int4),
    ("mxfp4", Quantization::Int4),
    ("fp8", Quantization::Fp8),
    ("awq", Quantization::Int4),
    ("gptq", Quantization::Int4),
    ("int4", Quantization::Int4),
    ("w4a16", Quantization::Int4),
    ("4bit", Quantization::Int4),
    ("w8a8", Quantization::Int8),
    ("w8a16", Quantization::Int8),
    ("int8", Quantization::Int8),
];

/// The quantisation with which a model is published, as its configuration or else its name tells; `None` is 16 bits.
#[must_use]
pub fn published_quantization(model: &Model) -> Option<Quantization> {
    let name = model.model.as_str().to_lowercase();
    let named = || MARKS.iter().find(|(mark, _)| name.contains(mark)).map(|&(_, quantization)| quantization);
    let published = model.published_quantization.or_else(named);
    published.filter(|quantization| !matches!(quantization, Quantization::Bf16 | Quantization::Fp16))
}

/// What the weights are asked to be (`None` is as they come) and what they come as.
pub(super) struct Wish<'a> {
    pub(super) model: &'a Model,
    pub(super) asked: Option<Quantization>,
    pub(super) profile: ProfileName,
    pub(super) generation: ChipGeneration,
}

impl Wish<'_> {
    /// The precision, or why there is none.
    pub(super) fn precision(&self) -> Result<Precision, Unsupported> {
        let published = published_quantization(self.model);
        match (self.asked, published) {
            (Some(asked), Some(published)) if asked != published => Err(self.refusal(
                asked,
                "the model is published in another quantisation and is not converted",
                published,
            )),
            (_, Some(published)) => self.checkpoint(published),
            (asked, None) => self.converted(asked),
        }
    }

    /// A checkpoint that comes quantised; the engine recognises it by itself.
    fn checkpoint(&self, published: Quantization) -> Result<Precision, Unsupported> {
        let label = match (self.profile, published) {
            (ProfileName::VllmGpu, Quantization::Fp8) => self.fp8_label("as published"),
            (ProfileName::VllmGpu, Quantization::Int8) => "INT8 as published (W8A8)".to_owned(),
            (ProfileName::VllmGpu, Quantization::Int4) => "4 bits as published (W4A16)".to_owned(),
            // Only a calibrated checkpoint; the plug-in refuses `--quantization`.
            (ProfileName::VllmNeuron, Quantization::Fp8) => "FP8 as published".to_owned(),
            _ => {
                let why =
                    "its Neuron image does not load such a checkpoint; take the model's 16-bit original";
                return Err(self.refusal(published, why, Quantization::Bf16));
            }
        };
        Ok(Precision { label, quantization: published, published, arguments: Vec::new() })
    }

    /// 16-bit weights, served as they are or converted while they are loaded.
    fn converted(&self, asked: Option<Quantization>) -> Result<Precision, Unsupported> {
        let sixteen_bits = |label: &str, dtype: &str, quantization| {
            Ok(precision(label.to_owned(), quantization, &["--dtype", dtype]))
        };
        match (self.profile, asked) {
            (ProfileName::VllmGpu, None) => {
                sixteen_bits("16-bit as published (W16A16)", "auto", Quantization::Bf16)
            }
            (_, None | Some(Quantization::Bf16)) => {
                sixteen_bits("BF16 (W16A16)", "bfloat16", Quantization::Bf16)
            }
            (ProfileName::VllmGpu, Some(Quantization::Fp16)) => {
                sixteen_bits("FP16 (W16A16)", "float16", Quantization::Fp16)
            }
            (ProfileName::VllmGpu, Some(Quantization::Fp8)) => {
                let label = self.fp8_label("converted per tensor when loaded");
                Ok(precision(label, Quantization::Fp8, &["--quantization", "fp8_per_tensor"]))
            }
            (ProfileName::VllmGpu, Some(Quantization::Int4)) => {
                let label = "INT4: NF4 by bitsandbytes, converted when loaded (W4A16)".to_owned();
                Ok(precision(label, Quantization::Int4, &["--quantization", "bitsandbytes"]))
            }
            (ProfileName::VllmGpu, Some(asked @ Quantization::Int8)) => {
                let why = "vLLM needs a checkpoint that is published so (its name holds `w8a8`)";
                Err(self.refusal(asked, why, Quantization::Fp8))
            }
            (ProfileName::VllmNeuron, Some(asked)) => {
                let why = "the Neuron plug-in converts nothing when it loads";
                Err(self.refusal(asked, why, Quantization::Bf16))
            }
            (ProfileName::VllmNxdi, Some(asked)) => {
                let why = "NxD Inference wants weights that were quantised for it beforehand";
                Err(self.refusal(asked, why, Quantization::Bf16))
            }
        }
    }

    fn fp8_label(&self, how: &str) -> String {
        if self.generation.computes_in_fp8() {
            return format!("FP8 {how} (W8A8)");
        }
        format!("FP8 {how}, weight-only on {} (W8A16)", self.generation)
    }

    fn refusal(&self, asked: Quantization, why: &'static str, nearest: Quantization) -> Unsupported {
        Unsupported::Quantization {
            model: self.model.model.clone(),
            asked,
            profile: self.profile,
            generation: self.generation,
            why,
            nearest: Nearest { quantization: Some(nearest), tensor_parallel: None },
        }
    }
}

/// Of weights that are published in 16 bits.
fn precision(label: String, quantization: Quantization, arguments: &[&str]) -> Precision {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Precision { label, quantization, published: Quantization::Bf16, arguments }
}
