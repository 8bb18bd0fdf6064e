//! The pairs of model and instance type that a release keeps fresh. They stand in a file, so that a change of what is
//! measured every week is read by people; the tests make sure that each can be deployed and fits.

use std::num::NonZeroU32;

use accelbench_core::engine::EngineName;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::load::{Measurement, OfferedLoad};
use accelbench_core::model::{ModelId, Quantization};
use accelbench_core::run::{PlatformSpec, RunSpec};
use accelbench_core::workload::Workload;
use serde::Deserialize;

use super::read;
use crate::Result;

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
    tensor_parallel: u32,
}

/// What the targets of this release are run as.
///
/// # Errors
/// [`crate::Error::Conflict`] when the release itself is broken.
pub(super) fn specs() -> Result<Vec<RunSpec>> {
    Ok(read::<TargetRow>("catalog targets", TARGETS)?.into_iter().map(spec).collect())
}

fn spec(row: TargetRow) -> RunSpec {
    RunSpec {
        model: row.model,
        revision: None,
        instance_type: row.instance_type,
        platform: PlatformSpec::Kubernetes { engine: EngineName::vllm() },
        quantization: row.quantization,
        tensor_parallel: row.tensor_parallel,
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
