//! What `GET /api/models/{id}?blobs=true` answers, as far as it is used. Only the commit must be there: the rest is a
//! stranger's, or not there for every repository.

use accelbench_core::model::{ModelId, Revision};
use serde_json::Value;

use crate::resolved::{Access, Approval, WeightsBasis, WeightsSize};

/// What the Hub says of a repository at one commit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RepositoryInfo {
    /// Its name now; a repository that was renamed is still found under its old one.
    pub(crate) model: Option<ModelId>,
    pub(crate) revision: Revision,
    pub(crate) access: Access,
    pub(crate) files: Vec<File>,
    /// Elements in the safetensors files, and bytes that these take.
    pub(crate) stored: Option<Stored>,
    pub(crate) licence: Option<String>,
    pub(crate) pipeline_tag: Option<String>,
    pub(crate) library: Option<String>,
}

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: Option<u64>,
}

/// What the Hub counted in the safetensors files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stored {
    pub(crate) elements: f64,
    /// `None` when there is a type of elements whose width is not known.
    pub(crate) bytes: Option<u64>,
}

impl RepositoryInfo {
    /// Reads the answer; the error says what is wrong with it.
    pub(crate) fn read(json: &Value) -> Result<Self, &'static str> {
        let revision = json.get("sha").and_then(Value::as_str).ok_or("it names no commit (`sha`)")?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            model: text("id").or_else(|| text("modelId")).and_then(|id| id.parse().ok()),
            revision: revision.parse().map_err(|_invalid| "its `sha` is no commit hash")?,
            access: access(json),
            files: files(json),
            stored: json.get("safetensors").and_then(stored),
            licence: licence(json),
            pipeline_tag: text("pipeline_tag"),
            library: text("library_name"),
        })
    }

    /// Whether the repository has this file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Whether the repository has a file that ends so.
    pub(crate) fn has_ending(&self, ending: &str) -> bool {
        self.files.iter().any(|file| file.path.ends_with(ending))
    }

    /// How many bytes of weights an engine loads; `None` when the Hub states no sizes.
    pub(crate) fn weights(&self) -> Option<WeightsSize> {
        let files = weight_files(&self.files);
        let sum = files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.bytes?));
        let of_files = sum.filter(|bytes| *bytes > 0);
        let bytes = |bytes, basis| WeightsSize { bytes, basis };
        let of_elements = || Some(bytes(self.stored?.bytes?, WeightsBasis::Elements));
        of_files.map(|sum| bytes(sum, WeightsBasis::Files)).or_else(of_elements)
    }
}

/// The files that an engine loads. Many repositories hold the same weights twice: whole and in shards, as safetensors
/// and as pickles, in their maker's format and in transformers'.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "engines look for these very names, in lower case"
)]
fn weight_files(files: &[File]) -> Vec<&File> {
    let pick = |wanted: fn(&str) -> bool| -> Vec<&File> {
        files.iter().filter(|file| !file.path.contains('/') && wanted(&file.path)).collect()
    };
    let choices: [fn(&str) -> bool; 5] = [
        |path| path.starts_with("model-") && path.contains("-of-") && path.ends_with(".safetensors"),
        |path| path == "model.safetensors",
        |path| path.ends_with(".safetensors") && !path.starts_with("consolidated"),
        |path| path.starts_with("pytorch_model-") && path.ends_with(".bin"),
        |path| path == "pytorch_model.bin",
    ];
    choices.into_iter().map(pick).find(|picked| !picked.is_empty()).unwrap_or_default()
}

fn access(json: &Value) -> Access {
    let is_private = json.get("private").and_then(Value::as_bool) == Some(true);
    match json.get("gated") {
        Some(Value::String(kind)) if kind == "manual" => Access::Gated { approval: Approval::Manual },
        Some(Value::String(_) | Value::Bool(true)) => Access::Gated { approval: Approval::Automatic },
        _ if is_private => Access::Private,
        _ => Access::Open,
    }
}

fn files(json: &Value) -> Vec<File> {
    let file = |sibling: &Value| {
        let path = sibling.get("rfilename")?.as_str()?.to_owned();
        Some(File { path, bytes: sibling.get("size").and_then(Value::as_u64) })
    };
    let siblings = json.get("siblings").and_then(Value::as_array);
    siblings.into_iter().flatten().filter_map(file).collect()
}

fn stored(safetensors: &Value) -> Option<Stored> {
    let by_type = safetensors.get("parameters").and_then(Value::as_object);
    let counts = || by_type.into_iter().flatten().filter_map(|(kind, count)| Some((kind, count.as_f64()?)));
    let total = safetensors.get("total").and_then(Value::as_f64);
    let elements = total.unwrap_or_else(|| counts().map(|(_, count)| count).sum());
    let bytes: Option<f64> = counts().map(|(kind, count)| Some(count * bytes_of_element(kind)?)).sum();
    let bytes = bytes.filter(|bytes| (1.0..1e18).contains(bytes)).map(|bytes| bytes as u64);
    (elements > 0.0).then_some(Stored { elements, bytes })
}

fn bytes_of_element(kind: &str) -> Option<f64> {
    Some(match kind {
        "F64" | "I64" | "U64" => 8.0,
        "F32" | "I32" | "U32" => 4.0,
        "F16" | "BF16" | "I16" | "U16" => 2.0,
        "F8_E4M3" | "F8_E5M2" | "F8_E8M0" | "I8" | "U8" | "BOOL" => 1.0,
        "F4" => 0.5,
        _ => return None,
    })
}

/// The model card's licence; a licence of its own has a name there, and the tag repeats what the card says.
fn licence(json: &Value) -> Option<String> {
    let card = |name: &str| {
        let value = json.get("cardData")?.get(name)?;
        value.as_str().or_else(|| value.get(0)?.as_str()).map(str::to_owned)
    };
    let tags = json.get("tags").and_then(Value::as_array);
    let tag = || {
        let mut tags = tags.into_iter().flatten().filter_map(Value::as_str);
        tags.find_map(|tag| tag.strip_prefix("license:")).map(str::to_owned)
    };
    match card("license").or_else(tag) {
        Some(other) if other == "other" => Some(card("license_name").unwrap_or(other)),
        licence => licence,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::RepositoryInfo;
    use crate::resolved::{Access, Approval, WeightsBasis};

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn read(mut more: Value) -> RepositoryInfo {
        more["sha"] = json!(COMMIT);
        RepositoryInfo::read(&more).unwrap()
    }

    #[test]
    fn the_commit_is_needed_and_nothing_else() {
        for (json, why) in [
            (json!({"id": "a/b"}), "it names no commit (`sha`)"),
            (json!({"sha": 5}), "it names no commit (`sha`)"),
            (json!({"sha": "main"}), "its `sha` is no commit hash"),
            (json!([]), "it names no commit (`sha`)"),
        ] {
            assert_eq!(RepositoryInfo::read(&json), Err(why));
        }
        let least = read(json!({}));
        assert_eq!((least.revision.as_str(), least.access, least.weights()), (COMMIT, Access::Open, None));
    }

    #[test]
    fn the_kinds_of_access_are_told_apart() {
        let rows = [
            (json!({"gated": false, "private": false}), Access::Open),
            (json!({"gated": "auto"}), Access::Gated { approval: Approval::Automatic }),
            (json!({"gated": "manual", "private": true}), Access::Gated { approval: Approval::Manual }),
            (json!({"gated": false, "private": true}), Access::Private),
        ];
        for (json, access) in rows {
            assert_eq!(read(json).access, access);
        }
    }

    #[test]
    fn weights_that_are_there_twice_count_once() {
        let file = |path: &str, bytes: u64| json!({"rfilename": path, "size": bytes});
        let rows = [
            (
                vec![
                    file("model-00001-of-00002.safetensors", 5),
                    file("model-00002-of-00002.safetensors", 4),
                    file("consolidated.safetensors", 9),
                    file("pytorch_model.bin", 9),
                ],
                9,
            ),
            (
                vec![
                    file("model.safetensors", 7),
                    file("model.fp32.safetensors", 14),
                    file("pytorch_model.bin", 7),
                ],
                7,
            ),
            (vec![file("gptq_model-4bit-128g.safetensors", 3), file("original/model.safetensors", 9)], 3),
            (vec![file("pytorch_model-00001-of-00001.bin", 6), file("training_args.bin", 1)], 6),
        ];
        for (files, bytes) in rows {
            let weights = read(json!({"siblings": files})).weights().unwrap();
            assert_eq!((weights.bytes, weights.basis), (bytes, WeightsBasis::Files));
        }
    }

    #[test]
    fn without_sizes_of_files_the_elements_tell() {
        let files = json!([{"rfilename": "model.safetensors"}]);
        let stored = json!({"parameters": {"BF16": 100, "F8_E4M3": 50}, "total": 150});
        let weights = read(json!({"siblings": files, "safetensors": stored})).weights().unwrap();
        assert_eq!((weights.bytes, weights.basis), (250, WeightsBasis::Elements));
        let odd = json!({"parameters": {"Q3": 100}});
        let info = read(json!({"siblings": files, "safetensors": odd}));
        assert_eq!((info.stored.unwrap().elements, info.weights()), (100.0, None));
    }

    #[test]
    fn a_licence_is_the_cards_or_the_tags() {
        let rows = [
            (json!({"cardData": {"license": "apache-2.0"}}), Some("apache-2.0")),
            (json!({"cardData": {"license": "other", "license_name": "qwen"}}), Some("qwen")),
            (json!({"cardData": {"license": ["mit"]}}), Some("mit")),
            (json!({"tags": ["text-generation", "license:gemma"]}), Some("gemma")),
            (json!({"tags": ["license:other"]}), Some("other")),
            (json!({"cardData": 7, "tags": {}}), None),
        ];
        for (json, licence) in rows {
            assert_eq!(read(json).licence.as_deref(), licence);
        }
    }
}
