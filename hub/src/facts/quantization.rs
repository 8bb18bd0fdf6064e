//! How weights are quantised as published: `quantization_config` in the dialects of its many writers.

use accelbench_core::model::Quantization;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;

/// How weights are quantised as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeQuantization {
    /// What wrote them: `gptq`, `fp8`, `compressed-tensors`.
    pub method: String,
    /// What a weight is.
    pub format: WeightFormat,
    /// Whether several weights share a stored element, so that counting elements does not count weights.
    pub is_packed: bool,
}

/// What a quantised weight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightFormat {
    /// 8-bit floating point.
    Fp8,
    /// 8-bit integers.
    Int8,
    /// 4-bit integers.
    Int4,
    /// 4-bit floating point with a scale for 32 weights.
    Mxfp4,
    /// 4-bit floating point with a scale for 16 weights.
    Nvfp4,
    /// The 4-bit quantiles of bitsandbytes.
    Nf4,
    /// Several of them, or something else.
    Other,
}

impl WeightFormat {
    /// The precision that can be asked for under this name, if there is one.
    #[must_use]
    pub fn quantization(self) -> Option<Quantization> {
        match self {
            Self::Fp8 => Some(Quantization::Fp8),
            Self::Int8 => Some(Quantization::Int8),
            Self::Int4 => Some(Quantization::Int4),
            Self::Mxfp4 | Self::Nvfp4 | Self::Nf4 | Self::Other => None,
        }
    }
}

impl NativeQuantization {
    /// What the configuration, or ModelOpt's file beside it, says.
    pub(super) fn read(config: Config<'_>, modelopt: Option<&Value>) -> Option<Self> {
        let written = ["quantization_config", "compression_config"]
            .iter()
            .find_map(|name| config.value_or_whole(name).filter(|value| value.is_object()));
        if let Some(written) = written {
            return Some(from_config(written));
        }
        let algorithm = modelopt?.get("quantization")?.get("quant_algo")?.as_str()?;
        Some(named("modelopt", modelopt_format(algorithm)))
    }
}

fn from_config(written: &Value) -> NativeQuantization {
    let text = |name: &str| written.get(name).and_then(Value::as_str).unwrap_or_default();
    let is = |name: &str| written.get(name).and_then(Value::as_bool) == Some(true);
    let bits = ["bits", "w_bit"].iter().find_map(|name| written.get(*name)?.as_u64());
    let method = match text("quant_method") {
        "" if is("load_in_4bit") || is("load_in_8bit") => "bitsandbytes",
        "" if written.get("config_groups").is_some() => "compressed-tensors",
        "" => "unnamed",
        method => method,
    };
    match method {
        "fp8" | "fbgemm_fp8" => named(method, WeightFormat::Fp8),
        "mxfp4" => named(method, WeightFormat::Mxfp4),
        "bitsandbytes" if is("load_in_4bit") => named(method, WeightFormat::Nf4),
        "bitsandbytes" if is("load_in_8bit") => named(method, WeightFormat::Int8),
        "modelopt" | "modelopt_fp4" => named(method, modelopt_format(text("quant_algo"))),
        "compressed-tensors" => compressed_tensors(written),
        "awq" | "gptq" | "auto-round" => {
            NativeQuantization { is_packed: true, ..named(method, integers(bits)) }
        }
        _ => named(method, WeightFormat::Other),
    }
}

fn named(method: &str, format: WeightFormat) -> NativeQuantization {
    let is_packed = !matches!(format, WeightFormat::Fp8 | WeightFormat::Int8);
    NativeQuantization { method: method.to_owned(), format, is_packed }
}

fn integers(bits: Option<u64>) -> WeightFormat {
    match bits {
        Some(4) => WeightFormat::Int4,
        Some(8) => WeightFormat::Int8,
        _ => WeightFormat::Other,
    }
}

fn modelopt_format(algorithm: &str) -> WeightFormat {
    match algorithm.to_ascii_uppercase().as_str() {
        "NVFP4" | "NVFP4_AWQ" | "W4A16_NVFP4" => WeightFormat::Nvfp4,
        "FP8" | "FP8_PER_CHANNEL_PER_TOKEN" | "FP8_PB_WO" => WeightFormat::Fp8,
        "MXFP4" | "W4A8_MXFP4_FP8" => WeightFormat::Mxfp4,
        "W4A16_AWQ" | "INT4_AWQ" => WeightFormat::Int4,
        "INT8_SQ" | "INT8" | "W8A8_SQ_PER_CHANNEL" => WeightFormat::Int8,
        _ => WeightFormat::Other,
    }
}

/// Each group of layers has a scheme; groups that disagree are no one format.
fn compressed_tensors(written: &Value) -> NativeQuantization {
    let packing = written.get("format").and_then(Value::as_str).unwrap_or_default();
    let groups = written.get("config_groups").and_then(Value::as_object);
    let mut formats =
        groups.into_iter().flat_map(|groups| groups.values().map(|group| scheme(group, packing)));
    let first = formats.next().unwrap_or(WeightFormat::Other);
    let format = if formats.all(|format| format == first) { first } else { WeightFormat::Other };
    let quantization = named("compressed-tensors", format);
    NativeQuantization { is_packed: quantization.is_packed || packing.starts_with("pack"), ..quantization }
}

fn scheme(group: &Value, packing: &str) -> WeightFormat {
    let own = group.get("format").and_then(Value::as_str).unwrap_or(packing);
    let Some(weights) = group.get("weights") else { return WeightFormat::Other };
    let bits = weights.get("num_bits").and_then(Value::as_u64);
    match (weights.get("type").and_then(Value::as_str), bits) {
        (Some("float"), Some(8)) => WeightFormat::Fp8,
        (Some("float"), Some(4)) if own.starts_with("mxfp4") => WeightFormat::Mxfp4,
        (Some("float"), Some(4)) => WeightFormat::Nvfp4,
        (Some("int"), bits) => integers(bits),
        _ => WeightFormat::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{NativeQuantization, WeightFormat};
    use crate::config::Config;

    fn read(written: &Value) -> Option<(String, WeightFormat, bool)> {
        let json = json!({"quantization_config": written});
        let native = NativeQuantization::read(Config::of(&json).unwrap(), None)?;
        Some((native.method, native.format, native.is_packed))
    }

    fn group(kind: &str, bits: u8) -> Value {
        json!({"targets": ["Linear"], "weights": {"type": kind, "num_bits": bits}})
    }

    #[test]
    fn every_dialect_is_understood() {
        use WeightFormat::{Fp8, Int4, Int8, Mxfp4, Nf4, Nvfp4, Other};
        let rows = [
            (json!({"quant_method": "fp8", "weight_block_size": [128, 128]}), "fp8", Fp8, false),
            (json!({"quant_method": "fbgemm_fp8"}), "fbgemm_fp8", Fp8, false),
            (json!({"quant_method": "awq", "bits": 4}), "awq", Int4, true),
            (json!({"quant_method": "gptq", "bits": 4}), "gptq", Int4, true),
            (json!({"quant_method": "gptq", "bits": 8}), "gptq", Int8, true),
            (json!({"quant_method": "gptq", "bits": 3}), "gptq", Other, true),
            (json!({"quant_method": "mxfp4"}), "mxfp4", Mxfp4, true),
            (json!({"quant_method": "bitsandbytes", "load_in_4bit": true}), "bitsandbytes", Nf4, true),
            (json!({"load_in_8bit": true}), "bitsandbytes", Int8, false),
            (json!({"quant_method": "modelopt", "quant_algo": "NVFP4"}), "modelopt", Nvfp4, true),
            (json!({"quant_method": "modelopt", "quant_algo": "FP8"}), "modelopt", Fp8, false),
            (json!({"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}), "modelopt", Other, true),
            (
                json!({"quant_method": "compressed-tensors", "format": "int-quantized",
                "config_groups": {"group_0": group("int", 8)}}),
                "compressed-tensors",
                Int8,
                false,
            ),
            (
                json!({"quant_method": "compressed-tensors", "format": "pack-quantized",
                "config_groups": {"group_0": group("int", 4)}}),
                "compressed-tensors",
                Int4,
                true,
            ),
            (
                json!({"quant_method": "compressed-tensors", "format": "pack-quantized",
                "config_groups": {"group_0": group("int", 8)}}),
                "compressed-tensors",
                Int8,
                true,
            ),
            (json!({"config_groups": {"group_0": group("float", 8)}}), "compressed-tensors", Fp8, false),
            (
                json!({"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized",
                "config_groups": {"group_0": group("float", 4)}}),
                "compressed-tensors",
                Nvfp4,
                true,
            ),
            (
                json!({"quant_method": "compressed-tensors", "format": "mixed-precision",
                "config_groups": {"a": group("float", 4), "b": group("float", 8)}}),
                "compressed-tensors",
                Other,
                true,
            ),
            (json!({"quant_method": "aqlm"}), "aqlm", Other, true),
            (json!({}), "unnamed", Other, true),
        ];
        for (written, method, format, packed) in rows {
            assert_eq!(read(&written), Some((method.to_owned(), format, packed)), "{written}");
        }
        assert_eq!(read(&Value::Null), None);
        assert_eq!(read(&json!("fp8")), None);
    }

    #[test]
    fn modelopt_may_write_beside_the_configuration() {
        let json = json!({});
        let beside = json!({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}});
        let native = NativeQuantization::read(Config::of(&json).unwrap(), Some(&beside)).unwrap();
        assert_eq!((native.method.as_str(), native.format), ("modelopt", WeightFormat::Nvfp4));
    }
}
