//! Files of other load generators, read as what they measured under our names. What their numbers mean differs from ours
//! in places; each such difference becomes a caveat.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::imported::MeasurementKind;
use crate::load::OfferedLoad;
use crate::metric::Metric;

mod guidellm;
mod vllm;

/// One load point of another tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The tool's name.
    pub tool: &'static str,
    /// The model, where the file names it.
    pub model: Option<String>,
    /// When it was measured.
    pub date: Option<NaiveDate>,
    /// How it was measured.
    pub kind: MeasurementKind,
    /// The offered load.
    pub offered_load: Option<OfferedLoad>,
    /// Mean length of a prompt, in tokens.
    pub input_tokens_mean: Option<f64>,
    /// Mean length of an answer, in tokens.
    pub output_tokens_mean: Option<f64>,
    /// Requests that were completed.
    pub requests_completed: u64,
    /// Requests that failed.
    pub requests_failed: u64,
    /// The numbers under our names.
    pub metrics: BTreeMap<Metric, f64>,
    /// Where they mean something else than ours, or less.
    pub caveats: Vec<String>,
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableFile {
    /// It is no file of a tool that is known here.
    #[error(
        "it is neither a file of `vllm bench serve --save-result` nor one of GuideLLM: there is no \
         `output_throughput` and no `benchmarks` in it"
    )]
    UnknownTool,
    /// A part of it is not as the tool writes it.
    #[error("it looks like a file of {tool}, but not as that tool writes it")]
    Shape {
        /// The tool.
        tool: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// It holds no finished measurement.
    #[error("{tool} completed no request in it, so there is nothing to import")]
    Empty {
        /// The tool.
        tool: &'static str,
    },
}

/// Reads a file of `vllm bench serve` or of GuideLLM, which are told apart by what is in them.
///
/// # Errors
/// [`UnreadableFile`].
pub fn import(file: &Value) -> Result<Vec<Measured>, UnreadableFile> {
    if file.get("benchmarks").is_some() {
        guidellm::import(file)
    } else if file.get("output_throughput").is_some() {
        vllm::import(file).map(|measured| vec![measured])
    } else {
        Err(UnreadableFile::UnknownTool)
    }
}

fn parse<T: DeserializeOwned>(tool: &'static str, file: &Value) -> Result<T, UnreadableFile> {
    T::deserialize(file).map_err(|source| UnreadableFile::Shape { tool, source })
}

/// Keeps a number that means something: tools write 0 or nothing for what they could not measure.
fn keep(metrics: &mut BTreeMap<Metric, f64>, metric: Metric, value: Option<f64>) {
    if let Some(value) = value.filter(|value| value.is_finite() && *value > 0.0) {
        metrics.insert(metric, value);
    }
}

fn caveat_of_failures(failed: u64, completed: u64) -> Option<String> {
    (failed > 0).then(|| format!("{failed} of {} requests failed", failed + completed))
}

#[cfg(test)]
mod tests;
