//! A result's row, and how it becomes a result again. Its numbers come from the report that it was made from.

use accelbench_core::engine::EngineKind;
use accelbench_core::load::LoadReport;
use accelbench_core::model::Quantization;
use accelbench_core::observed::Observed;
use accelbench_core::result::{BenchmarkResult, Origin, Provenance, ResultId};
use accelbench_core::validity::Outcome;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, Result};

pub(super) struct ResultRow {
    pub(super) result_id: Uuid,
    pub(super) run_id: Uuid,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) origin: String,
    pub(super) platform: String,
    pub(super) model: String,
    pub(super) revision: Option<String>,
    pub(super) instance_type: String,
    pub(super) engine: String,
    pub(super) engine_version: Option<String>,
    pub(super) engine_image_digest: Option<String>,
    pub(super) engine_arguments: Option<Vec<String>>,
    pub(super) quantization: Option<String>,
    pub(super) tensor_parallel: i32,
    pub(super) accelerators_used: Option<i32>,
    pub(super) ami: Option<String>,
    pub(super) driver_version: Option<String>,
    pub(super) availability_zone: Option<String>,
    pub(super) dataset_sha256: String,
    pub(super) workload_sha256: String,
    pub(super) loadgen_version: String,
    pub(super) absent_reasons: Value,
    pub(super) validity: String,
    pub(super) report: Value,
    pub(super) superseded_by: Option<Uuid>,
}

impl TryFrom<ResultRow> for BenchmarkResult {
    type Error = Error;

    fn try_from(row: ResultRow) -> Result<Self> {
        let report: LoadReport =
            serde_json::from_value(row.report.clone()).map_err(|source| Error::Corrupt {
                what: "report",
                owner: format!("result {}", row.result_id),
                source: Some(source),
            })?;
        let validity = validity(&row.validity).ok_or_else(|| corrupt(&row, "validity"))?;
        Ok(Self {
            id: ResultId(row.result_id),
            run_id: row.run_id.into(),
            recorded_at: row.recorded_at,
            offered_load: report.offered_load,
            provenance: provenance(&row)?,
            report,
            validity,
            superseded_by: row.superseded_by.map(ResultId),
        })
    }
}

fn provenance(row: &ResultRow) -> Result<Provenance> {
    let quantization = row.quantization.as_deref().and_then(quantization);
    let revision =
        row.revision.as_deref().map(str::parse).transpose().map_err(|_invalid| corrupt(row, "revision"))?;
    Ok(Provenance {
        origin: Origin::from_word(&row.origin).ok_or_else(|| corrupt(row, "origin"))?,
        platform: row.platform.clone(),
        model: row.model.parse().map_err(|_invalid| corrupt(row, "model"))?,
        revision: observed(row, "revision", revision)?,
        instance_type: row.instance_type.parse().map_err(|_invalid| corrupt(row, "instance type"))?,
        engine: engine(&row.engine).ok_or_else(|| corrupt(row, "engine"))?,
        engine_version: observed(row, "engine_version", row.engine_version.clone())?,
        engine_image_digest: observed(row, "engine_image_digest", row.engine_image_digest.clone())?,
        engine_arguments: observed(row, "engine_arguments", row.engine_arguments.clone())?,
        quantization: observed(row, "quantization", quantization)?,
        tensor_parallel: row.tensor_parallel.cast_unsigned(),
        accelerators_used: observed(row, "accelerators_used", row.accelerators_used.map(i32::cast_unsigned))?,
        ami: observed(row, "ami", row.ami.clone())?,
        driver_version: observed(row, "driver_version", row.driver_version.clone())?,
        availability_zone: observed(row, "availability_zone", row.availability_zone.clone())?,
        dataset_sha256: row.dataset_sha256.parse().map_err(|_invalid| corrupt(row, "dataset hash"))?,
        workload_sha256: row.workload_sha256.parse().map_err(|_invalid| corrupt(row, "workload hash"))?,
        loadgen_version: row.loadgen_version.clone(),
    })
}

fn observed<T>(row: &ResultRow, column: &'static str, value: Option<T>) -> Result<Observed<T>> {
    value_or_reason(&row.absent_reasons, column, value).ok_or_else(|| corrupt(row, column))
}

/// A nullable column with the reason that the schema demands where it is null.
pub(crate) fn value_or_reason<T>(
    absent_reasons: &Value,
    column: &str,
    value: Option<T>,
) -> Option<Observed<T>> {
    match value {
        Some(value) => Some(Observed::Value(value)),
        None => absent_reasons.get(column).and_then(Value::as_str).map(Observed::absent),
    }
}

pub(crate) fn engine(word: &str) -> Option<EngineKind> {
    [EngineKind::Vllm, EngineKind::LlamaCpp, EngineKind::Simulator, EngineKind::Other]
        .into_iter()
        .find(|engine| engine.as_str() == word)
}

pub(crate) fn quantization(word: &str) -> Option<Quantization> {
    Quantization::ALL.into_iter().find(|quantization| quantization.as_str() == word)
}

pub(crate) fn validity(word: &str) -> Option<Outcome> {
    [Outcome::Pass, Outcome::Warn, Outcome::Fail].into_iter().find(|outcome| outcome.as_str() == word)
}

fn corrupt(row: &ResultRow, what: &'static str) -> Error {
    Error::Corrupt { what, owner: format!("result {}", row.result_id), source: None }
}
