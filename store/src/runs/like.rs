//! Finding a run that has measured already what another one asks for.

use std::time::Duration;

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::run::{RunId, RunSpec};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::Result;

/// A run whose results answer a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredAlready {
    /// The run.
    pub run_id: RunId,
    /// When it finished.
    pub finished_at: DateTime<Utc>,
}

/// The newest run not older than `fresh` that measured at least what `spec` asks for, as long and with as many requests,
/// and whose results all stand: none failed a check, none was superseded.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn measured_already(
    connection: &mut PgConnection,
    spec: &RunSpec,
    dataset_sha256: &Sha256Hex,
    fresh: Duration,
) -> Result<Option<MeasuredAlready>> {
    let workload_sha256 = spec.workload.fingerprint(dataset_sha256);
    let found = sqlx::query_file!(
        "queries/runs/measured_already.sql",
        spec.model.as_str(),
        spec.instance_type.as_str(),
        workload_sha256.as_str(),
        Json(spec) as _,
        fresh.as_secs_f64(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|row| MeasuredAlready { run_id: row.run_id.into(), finished_at: row.phase_since }))
}
