//! What others measured: kept apart from our own results, as it was imported.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::imported::{ImportedResult, MeasurementKind};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{Error, Result};

/// An imported result as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredImport {
    /// The hash of what it says.
    pub imported_result_id: Sha256Hex,
    /// When it was imported.
    pub imported_at: DateTime<Utc>,
    /// The name that the person chose who imported it; nothing for what came with a release.
    pub imported_by: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub result: ImportedResult,
}

/// Which imported results to list; every `None` admits all.
#[derive(Debug, Clone, Default)]
pub struct ImportFilter {
    /// Of this model.
    pub model: Option<String>,
    /// Measured on this instance type, or on as many of the same accelerator.
    pub instance_type: Option<String>,
    /// On accelerators whose name begins so, for instance `H100`.
    pub accelerator_name: Option<String>,
    /// From this source.
    pub source: Option<String>,
    /// Measured in this way.
    pub kind: Option<MeasurementKind>,
    /// Served by this software.
    pub engine: Option<String>,
    /// At this precision.
    pub precision: Option<String>,
    /// At this number of simultaneous requests.
    pub concurrency: Option<i32>,
    /// Those after this one in the order of the list: the last of the previous page.
    pub after: Option<Sha256Hex>,
}

struct ImportRow {
    imported_result_id: String,
    imported_at: DateTime<Utc>,
    imported_by: Option<String>,
    record: Value,
}

/// Adds what is not there yet and says how many these were. `imported_by` is nothing for what comes with a release.
///
/// # Errors
/// [`Error::Database`] with the constraint for a record that cannot be.
pub async fn record(
    connection: &mut PgConnection,
    results: &[ImportedResult],
    imported_by: Option<&str>,
) -> Result<u64> {
    let ids: Vec<String> = results.iter().map(|result| result.id().to_string()).collect();
    let records: Vec<Value> =
        results.iter().map(|result| serde_json::to_value(result).unwrap_or_default()).collect();
    let recorded = sqlx::query!(
        "INSERT INTO imported_results (imported_result_id, imported_by, record)
         SELECT imported_result_id, $3, record
         FROM unnest($1::text[], $2::jsonb[]) AS new (imported_result_id, record)
         ON CONFLICT (imported_result_id) DO NOTHING",
        &ids,
        &records,
        imported_by,
    );
    Ok(recorded.execute(connection).await?.rows_affected())
}

/// Takes back what came with an earlier release and is not among `results`, which come with this one.
///
/// # Errors
/// [`Error::Database`].
pub(crate) async fn withdraw_others(connection: &mut PgConnection, results: &[ImportedResult]) -> Result<()> {
    let ids: Vec<String> = results.iter().map(|result| result.id().to_string()).collect();
    sqlx::query!(
        "DELETE FROM imported_results WHERE imported_by IS NULL AND imported_result_id <> ALL ($1::text[])",
        &ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Lists imported results in the order of model, accelerator and concurrency, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(
    connection: &mut PgConnection,
    filter: &ImportFilter,
    limit: i64,
) -> Result<Vec<StoredImport>> {
    let rows = sqlx::query_file_as!(
        ImportRow,
        "queries/imported/list.sql",
        filter.model.as_deref(),
        filter.instance_type.as_deref(),
        filter.accelerator_name.as_deref(),
        filter.source.as_deref(),
        filter.kind.map(MeasurementKind::as_str),
        filter.engine.as_deref(),
        filter.precision.as_deref(),
        filter.concurrency,
        limit,
        filter.after.as_ref().map(Sha256Hex::as_str),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StoredImport::try_from).collect()
}

/// The imported result with this id.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Corrupt`].
pub async fn find(connection: &mut PgConnection, id: &Sha256Hex) -> Result<StoredImport> {
    let row = sqlx::query_as!(
        ImportRow,
        "SELECT imported_result_id, imported_at, imported_by, record FROM imported_results
         WHERE imported_result_id = $1",
        id.as_str(),
    );
    let found = row.fetch_optional(connection).await?;
    found.ok_or_else(|| Error::NotFound { what: "imported result", name: id.to_string() })?.try_into()
}

/// The names of all sources.
///
/// # Errors
/// [`Error::Database`].
pub async fn sources(connection: &mut PgConnection) -> Result<Vec<String>> {
    let sources = sqlx::query_scalar!("SELECT DISTINCT source FROM imported_results ORDER BY source");
    Ok(sources.fetch_all(connection).await?)
}

impl TryFrom<ImportRow> for StoredImport {
    type Error = Error;

    fn try_from(row: ImportRow) -> Result<Self> {
        let owner = || format!("imported result {}", row.imported_result_id);
        let result = serde_json::from_value(row.record).map_err(|error| Error::Corrupt {
            what: "record",
            owner: owner(),
            source: Some(error),
        })?;
        let id = row.imported_result_id.parse();
        Ok(Self {
            imported_result_id: id.map_err(|_invalid| Error::Corrupt {
                what: "id",
                owner: owner(),
                source: None,
            })?,
            imported_at: row.imported_at,
            imported_by: row.imported_by,
            result,
        })
    }
}
