//! What others measured: taken over as it was published, with source, licence and caveats. It is never called ours and
//! never stands among measured results unless somebody asks for it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::Sha256Hex;
use crate::instance::InstanceTypeName;
use crate::load::OfferedLoad;
use crate::metric::Metric;
use crate::model::ModelId;

/// One point that somebody else measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedResult {
    /// Who measured it and where it is published.
    pub source: Source,
    /// The model.
    pub model: ModelId,
    /// What it ran on.
    pub hardware: Hardware,
    /// What served it.
    pub engine: EngineSetup,
    /// How it was measured.
    pub kind: MeasurementKind,
    /// The offered load, where there was one that we have a word for.
    pub offered_load: Option<OfferedLoad>,
    /// Prompts of an offline batch.
    pub batch_size: Option<u32>,
    /// Mean length of a prompt, in tokens.
    pub input_tokens_mean: Option<f64>,
    /// Mean length of an answer, in tokens.
    pub output_tokens_mean: Option<f64>,
    /// Requests that were completed.
    pub requests_completed: Option<u64>,
    /// Requests that failed.
    pub requests_failed: Option<u64>,
    /// The numbers under our names; those that were not published are missing.
    pub metrics: BTreeMap<Metric, f64>,
    /// What to know before believing it.
    pub caveats: Vec<String>,
}

/// Who measured something and where it is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The publication's or the tool's name.
    pub name: String,
    /// Where in it, for instance a repository with commit and path.
    #[serde(default)]
    pub reference: Option<String>,
    /// The terms under which it is published, as they are stated there.
    #[serde(default)]
    pub licence: Option<String>,
    /// When it was measured or, where that is not said, published, as exactly as it is known: `2026-11-24` or `2026-11`.
    #[serde(default)]
    pub date: Option<String>,
}

/// What something ran on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hardware {
    /// The AWS instance type that it was really measured on.
    pub instance_type: Option<InstanceTypeName>,
    /// The smallest AWS instance type with as many of the same accelerator: comparable, but nothing was measured there.
    pub comparable_instance_type: Option<InstanceTypeName>,
    /// The accelerator as the source names it, for instance `H100-SXM`.
    pub accelerator_name: Option<String>,
    /// Accelerators that served.
    pub accelerators_used: Option<u32>,
    /// The machine in the source's words.
    pub description: Option<String>,
}

/// What served a model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineSetup {
    /// The software as the source names it, for instance `vLLM`.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// How the weights were stored, for instance `bf16` or `nvfp4`.
    pub precision: Option<String>,
    /// Accelerators over which one replica was split.
    pub tensor_parallel: Option<u32>,
}

/// How something was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasurementKind {
    /// A closed loop or a bounded rate against a server.
    OnlineServing,
    /// A server that is kept full.
    OnlineServingSaturated,
    /// All requests at once: the TTFT is mostly queueing.
    OnlineServingBurst,
    /// Several replicas behind one address.
    OnlineServingReplicas,
    /// A batch of equal prompts without a server; the end-to-end latency is the batch's.
    StaticBatch,
    /// A batch without a server.
    OfflineBatch,
    /// The highest throughput without a server.
    OfflineMaxThroughput,
    /// MLPerf Inference, offline.
    MlperfOffline,
    /// MLPerf Inference, the highest rate within the round's latency limits.
    MlperfServer,
    /// MLPerf Inference, the same with the tighter limits.
    MlperfInteractive,
}

/// Why a text is no way of measuring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of measurement")]
pub struct UnknownKind(String);

/// What makes an imported result unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImport {
    /// Nothing was measured.
    #[error("it has none of our metrics; give throughput or latencies, for instance output_tokens_per_s")]
    Empty,
    /// A number that cannot be.
    #[error("{0} must be a number above 0")]
    Number(Metric),
    /// Nobody can tell where it comes from.
    #[error("it names no source; say who measured it")]
    Source,
    /// A date that is none.
    #[error("`{0}` is no date; write for instance 2026-11-24 or 2026-11")]
    Date(String),
}

impl ImportedResult {
    /// Its identity: the hash of what it says, so that importing it again changes nothing.
    #[must_use]
    pub fn id(&self) -> Sha256Hex {
        // Maps of text and finite numbers always become JSON.
        Sha256Hex::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`InvalidImport`] with what is wrong.
    pub fn validate(&self) -> Result<(), InvalidImport> {
        if self.source.name.trim().is_empty() {
            return Err(InvalidImport::Source);
        }
        if let Some(date) = self.source.date.as_ref().filter(|date| !is_date(date)) {
            return Err(InvalidImport::Date(date.clone()));
        }
        if self.metrics.is_empty() {
            return Err(InvalidImport::Empty);
        }
        let impossible = |value: &f64| !(value.is_finite() && *value > 0.0);
        match self.metrics.iter().find(|(_, value)| impossible(value)) {
            Some((metric, _)) => Err(InvalidImport::Number(*metric)),
            None => Ok(()),
        }
    }
}

/// A day, a month or a year.
fn is_date(text: &str) -> bool {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    whole.len() == 10 && whole.parse::<NaiveDate>().is_ok()
}

impl MeasurementKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::OnlineServing,
        Self::OnlineServingSaturated,
        Self::OnlineServingBurst,
        Self::OnlineServingReplicas,
        Self::StaticBatch,
        Self::OfflineBatch,
        Self::OfflineMaxThroughput,
        Self::MlperfOffline,
        Self::MlperfServer,
        Self::MlperfInteractive,
    ];

    /// The word in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnlineServing => "online_serving",
            Self::OnlineServingSaturated => "online_serving_saturated",
            Self::OnlineServingBurst => "online_serving_burst",
            Self::OnlineServingReplicas => "online_serving_replicas",
            Self::StaticBatch => "static_batch",
            Self::OfflineBatch => "offline_batch",
            Self::OfflineMaxThroughput => "offline_max_throughput",
            Self::MlperfOffline => "mlperf_offline",
            Self::MlperfServer => "mlperf_server",
            Self::MlperfInteractive => "mlperf_interactive",
        }
    }
}

impl std::str::FromStr for MeasurementKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ImportedResult, InvalidImport, MeasurementKind};
    use crate::metric::Metric;

    fn imported() -> ImportedResult {
        serde_json::from_value(json!({
            "source": {"name": "a blog"}, "model": "m/n", "hardware": {}, "engine": {"name": "vLLM"},
            "kind": "online_serving", "metrics": {"output_tokens_per_s": 100.0}, "caveats": [],
            "offered_load": {"concurrency": 8},
        }))
        .unwrap()
    }

    #[test]
    fn the_same_content_is_the_same_result() {
        let (one, mut other) = (imported(), imported());
        assert_eq!(one.id(), other.id());
        other.metrics.insert(Metric::OutputTokensPerS, 101.0);
        assert_ne!(one.id(), other.id());
    }

    #[test]
    fn what_says_nothing_or_nonsense_is_refused() {
        assert_eq!(imported().validate(), Ok(()));
        let mut nobody = imported();
        nobody.source.name = " ".to_owned();
        assert_eq!(nobody.validate(), Err(InvalidImport::Source));
        for (date, sound) in
            [("2026-11-24", true), ("2026-11", true), ("2026", true), ("2026-13", false), ("soon", false)]
        {
            let mut dated = imported();
            dated.source.date = Some(date.to_owned());
            assert_eq!(dated.validate().is_ok(), sound, "{date}");
        }
        let mut empty = imported();
        empty.metrics.clear();
        assert_eq!(empty.validate(), Err(InvalidImport::Empty));
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut odd = imported();
            odd.metrics.insert(Metric::OutputTokensPerS, value);
            assert_eq!(odd.validate(), Err(InvalidImport::Number(Metric::OutputTokensPerS)));
        }
    }

    #[test]
    fn a_kind_is_its_word() {
        for kind in MeasurementKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("online".parse::<MeasurementKind>().is_err());
    }
}
