//! The catalog: the current, valid result of each configuration, what it may be ordered by, and where a page of it ends.
//! A configuration is one model, instance type, engine with its version, precision, tensor parallel degree, workload and
//! offered load; the revisions of a model are one line, of which the newest counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cost::Costs;
use crate::dataset::Sha256Hex;
use crate::engine::EngineKind;
use crate::instance::InstanceTypeName;
use crate::load::OfferedLoad;
use crate::metric::Metric;
use crate::model::{ModelId, Quantization, Revision};
use crate::observed::Observed;
use crate::result::{Origin, ResultId};
use crate::run::RunId;
use crate::validity::Outcome;

mod cursor;
mod order;
pub mod refresh;

pub use cursor::{Cursor, InvalidCursor, Position};
pub use order::{CostKind, Direction, Order, SortKey, UnknownDirection, UnknownSortKey};

/// A result as lists show it: who, where and the numbers, without the report that they come from, and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogItem {
    /// Identity of the result.
    pub result_id: ResultId,
    /// The run that it belongs to.
    pub run_id: RunId,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// How it came to be.
    pub origin: Origin,
    /// The platform's word: `local`, `endpoint` or `kubernetes`.
    pub platform: String,
    /// The model.
    pub model: ModelId,
    /// The commit of the model's weights.
    pub revision: Observed<Revision>,
    /// The instance type that served it.
    pub instance_type: InstanceTypeName,
    /// Accelerators that served; the instance's cost counts all of them.
    pub accelerators_used: Observed<u32>,
    /// The engine software.
    pub engine: EngineKind,
    /// Its version.
    pub engine_version: Observed<String>,
    /// How the weights were stored.
    pub quantization: Observed<Quantization>,
    /// Over how many accelerators one replica was split.
    pub tensor_parallel: u32,
    /// Hash of the workload with its dataset.
    pub workload_sha256: Sha256Hex,
    /// The offered load.
    pub offered_load: OfferedLoad,
    /// Requests that began in the window and ended well.
    pub requests_completed: u64,
    /// Share of failed requests among all that began in the window, 0 to 1.
    pub error_share: f64,
    /// The numbers; a statistic that too few requests were completed for is missing.
    pub metrics: BTreeMap<Metric, f64>,
    /// The 95 % interval of each number that the window was long enough for.
    pub intervals: BTreeMap<Metric, Interval>,
    /// The worst of its validity checks; one that fails keeps a result out of the catalog.
    pub validity: Outcome,
    /// What it costs at the prices that were asked for.
    pub costs: Costs,
}

/// A 95 % confidence interval, in the unit of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
