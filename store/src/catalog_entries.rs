//! What the catalog keeps fresh: requests that are submitted again when their newest run is older than their cadence.

use std::time::Duration;

use accelbench_core::run::{RunId, RunSpec};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Error, Result};

/// An entry that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogEntry {
    /// Its identity.
    pub id: Uuid,
    /// What is to be run.
    pub spec: RunSpec,
}

/// Adds an entry, or changes the cadence of the entry with the same request.
///
/// # Errors
/// [`Error::Database`].
pub async fn put(connection: &mut PgConnection, spec: &RunSpec, refresh_every: Duration) -> Result<Uuid> {
    let id = sqlx::query_scalar!(
        "INSERT INTO catalog_entries (catalog_entry_id, spec, refresh_every)
         VALUES ($1, $2, make_interval(secs => $3))
         ON CONFLICT (spec) DO UPDATE SET refresh_every = excluded.refresh_every, enabled = true
         RETURNING catalog_entry_id",
        Uuid::now_v7(),
        Json(spec) as _,
        refresh_every.as_secs_f64(),
    );
    Ok(id.fetch_one(connection).await?)
}

/// The entries whose newest run is older than their cadence and that have none under way, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn due(connection: &mut PgConnection, limit: i64) -> Result<Vec<CatalogEntry>> {
    let rows = sqlx::query_file!("queries/catalog_entries/due.sql", limit).fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let spec = serde_json::from_value(row.spec).map_err(|source| Error::Corrupt {
                what: "request",
                owner: format!("catalog entry {}", row.catalog_entry_id),
                source: Some(source),
            })?;
            Ok(CatalogEntry { id: row.catalog_entry_id, spec })
        })
        .collect()
}

/// Notes the newest run of an entry.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn set_last_run(connection: &mut PgConnection, id: Uuid, run_id: RunId) -> Result<()> {
    let noted = sqlx::query!(
        "UPDATE catalog_entries SET last_run_id = $2 WHERE catalog_entry_id = $1",
        id,
        run_id.uuid(),
    );
    match noted.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::NotFound { what: "catalog entry", name: id.to_string() }),
    }
}
