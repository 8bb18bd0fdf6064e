//! The immutable record of one load point: PRD section 5 with its provenance. It is never changed; a wrong one is
//! superseded by another.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::dataset::Sha256Hex;
use crate::engine::EngineKind;
use crate::instance::InstanceTypeName;
use crate::load::{LoadReport, OfferedLoad};
use crate::model::{ModelId, Quantization, Revision};
use crate::observed::Observed;
use crate::run::RunId;
use crate::validity::Outcome;

/// Identity of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ResultId(pub Uuid);

/// How a result came to be. The three are never mixed silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Measured by AccelBench on a real engine.
    Measured,
    /// Taken over from somebody else's publication.
    Imported,
    /// Measured on the simulator: it tells nothing of real hardware.
    Simulated,
}

impl Origin {
    /// The word used in SQL, JSON, HTML and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Imported => "imported",
            Self::Simulated => "simulated",
        }
    }

    /// The origin that the word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Measured, Self::Imported, Self::Simulated].into_iter().find(|origin| origin.as_str() == word)
    }
}

/// What was measured where, by which software, with which configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// How the result came to be.
    pub origin: Origin,
    /// The platform's word: `local`, `endpoint` or `kubernetes`.
    pub platform: String,
    /// The model.
    pub model: ModelId,
    /// The commit of the model's weights.
    pub revision: Observed<Revision>,
    /// The instance type that served it.
    pub instance_type: InstanceTypeName,
    /// The engine software.
    pub engine: EngineKind,
    /// Its version.
    pub engine_version: Observed<String>,
    /// Digest of its container image.
    pub engine_image_digest: Observed<String>,
    /// The arguments it was started with.
    pub engine_arguments: Observed<Vec<String>>,
    /// How the weights were stored.
    pub quantization: Observed<Quantization>,
    /// Over how many accelerators one replica was split.
    pub tensor_parallel: u32,
    /// Accelerators that served; the instance's cost counts all of them.
    pub accelerators_used: Observed<u32>,
    /// Machine image of the node.
    pub ami: Observed<String>,
    /// Version of the accelerator's driver.
    pub driver_version: Observed<String>,
    /// Availability zone of the node.
    pub availability_zone: Observed<String>,
    /// Hash of the dataset's bytes.
    pub dataset_sha256: Sha256Hex,
    /// Hash of the workload with its dataset.
    pub workload_sha256: Sha256Hex,
    /// Version and build of the load generator.
    pub loadgen_version: String,
}

/// A stored result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchmarkResult {
    /// Its identity.
    pub id: ResultId,
    /// The run that it belongs to.
    pub run_id: RunId,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The offered load.
    pub offered_load: OfferedLoad,
    /// What was measured where.
    pub provenance: Provenance,
    /// The numbers.
    pub report: LoadReport,
    /// The worst of its validity checks; `fail` keeps it out of rankings.
    pub validity: Outcome,
    /// The result that took its place, if one did.
    pub superseded_by: Option<ResultId>,
}
