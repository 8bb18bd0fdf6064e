//! The pairs of model and instance type that a release keeps fresh. They stand in a file, so that a change of what is
//! measured every week is read by people; the tests make sure that each can be deployed and fits.

use std::num::NonZeroU32;

use accelbench_core::engine::EngineName;
use accelbench_core::engine::profile::{DeploymentRequest, choose};
use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::load::{Measurement, OfferedLoad};
use accelbench_core::model::{Model, ModelId, Quantization};
use accelbench_core::run::{PlatformSpec, RunSpec};
use accelbench_core::workload::Workload;
use serde::Deserialize;

use super::{broken, read};
use crate::{Error, Result};

const TARGETS: &[u8] = include_bytes!("../../seed/catalog_targets.csv");

/// The load curve of every target: what one user sees, what a machine does when it is full, and between.
const CONCURRENCIES: [u32; 6] = [1, 4, 16, 64, 128, 256];

/// Neuron compiles for up to an hour before anything is measured.
const TIMEOUT_S: u32 = 4 * 3600;

#[derive(Debug, Deserialize)]
struct TargetRow {
    model: ModelId,
    instance_type: InstanceTypeName,
    /// Empty: as the model comes.
    quantization: Option<Quantization>,
}

/// What the targets of this release are run as, each over as few accelerators as hold it.
///
/// # Errors
/// [`crate::Error::Conflict`] when the release itself is broken.
pub(super) fn specs(models: &[Model], instances: &[InstanceType]) -> Result<Vec<RunSpec>> {
    let rows = read::<TargetRow>("catalog targets", TARGETS)?;
    rows.into_iter().map(|row| spec(row, models, instances)).collect()
}

fn spec(row: TargetRow, models: &[Model], instances: &[InstanceType]) -> Result<RunSpec> {
    let unknown = |name: &str| Error::Conflict(format!("a catalog target names {name}, which is not known"));
    let model = models.iter().find(|model| model.model == row.model);
    let model = model.ok_or_else(|| unknown(row.model.as_str()))?;
    let instance = instances.iter().find(|instance| instance.instance_type == row.instance_type);
    let instance = instance.ok_or_else(|| unknown(row.instance_type.as_str()))?;
    let mut spec = unsplit(row);
    let request = DeploymentRequest::of_run(&spec, model, instance);
    let plan = choose(&DeploymentRequest { tensor_parallel: None, ..request });
    spec.tensor_parallel = plan
        .map_err(|error| broken(&format!("catalog target {} on {}", spec.model, spec.instance_type), &error))?
        .parallelism
        .tensor_parallel;
    Ok(spec)
}

fn unsplit(row: TargetRow) -> RunSpec {
    RunSpec {
        model: row.model,
        revision: None,
        instance_type: row.instance_type,
        platform: PlatformSpec::Kubernetes { engine: EngineName::vllm() },
        quantization: row.quantization,
        tensor_parallel: 1,
        workload: Workload::default(),
        load_points: CONCURRENCIES
            .into_iter()
            .filter_map(NonZeroU32::new)
            .map(OfferedLoad::Concurrency)
            .collect(),
        exploration: None,
        slo: None,
        measurement: Measurement::default(),
        timeout_s: TIMEOUT_S,
        max_cost_usd: None,
    }
}

#[cfg(test)]
mod tests;
