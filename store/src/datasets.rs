//! Datasets: stored once by their hash, compressed. The bytes that come out are the bytes that went in.

use accelbench_core::dataset::{DatasetName, Sha256Hex};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::{Error, Result};

/// A stored dataset without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredDataset {
    /// Its version: the hash of its bytes.
    pub sha256: Sha256Hex,
    /// The name by which it is found.
    pub name: DatasetName,
    /// Size of its bytes, uncompressed.
    pub size_bytes: u64,
    /// How many prompts it holds.
    pub prompt_count: u32,
    /// The name that the person chose who gave it.
    pub submitted_by: Option<String>,
    /// When it was first stored.
    pub added_at: DateTime<Utc>,
}

struct DatasetRow {
    sha256: String,
    name: String,
    size_bytes: i64,
    prompt_count: i32,
    submitted_by: Option<String>,
    added_at: DateTime<Utc>,
}

/// Stores a dataset that has been read and found good. The same bytes again change nothing: the first name stays, and
/// the returned value says which that is.
///
/// # Errors
/// [`Error::Database`].
pub async fn put(
    connection: &mut PgConnection,
    name: &DatasetName,
    raw: &[u8],
    prompt_count: usize,
    submitted_by: Option<&str>,
) -> Result<StoredDataset> {
    let sha256 = Sha256Hex::of(raw);
    let content = zstd::encode_all(raw, 3).map_err(|error| Error::Database(error.into()))?;
    sqlx::query!(
        "INSERT INTO datasets (sha256, name, content, size_bytes, prompt_count, submitted_by)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sha256) DO NOTHING",
        sha256.as_str(),
        name.as_str(),
        content,
        i64::try_from(raw.len()).unwrap_or(i64::MAX),
        i32::try_from(prompt_count).unwrap_or(i32::MAX),
        submitted_by,
    )
    .execute(&mut *connection)
    .await?;
    let stored = select(connection, Some(sha256.as_str())).await?.into_iter().next();
    stored.ok_or_else(|| Error::NotFound { what: "dataset", name: sha256.to_string() })
}

/// The newest dataset of this name; a hash serves as a name, and a dataset that is named like the hash of another one
/// does not stand in its way.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(connection: &mut PgConnection, name: &DatasetName) -> Result<StoredDataset> {
    let found = select(connection, Some(name.as_str())).await?.into_iter().next();
    found.ok_or_else(|| Error::NotFound { what: "dataset", name: name.to_string() })
}

/// All datasets, the newest first.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection) -> Result<Vec<StoredDataset>> {
    select(connection, None).await
}

/// The names of all datasets.
///
/// # Errors
/// [`Error::Database`].
pub async fn names(connection: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("SELECT DISTINCT name FROM datasets ORDER BY name").fetch_all(connection).await?)
}

/// The bytes of a dataset.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Corrupt`] when the bytes no longer have the hash.
pub async fn content(connection: &mut PgConnection, sha256: &Sha256Hex) -> Result<Vec<u8>> {
    let compressed = sqlx::query_scalar!("SELECT content FROM datasets WHERE sha256 = $1", sha256.as_str())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| Error::NotFound { what: "dataset", name: sha256.to_string() })?;
    let corrupt = || Error::Corrupt { what: "content", owner: format!("dataset {sha256}"), source: None };
    let raw = zstd::decode_all(compressed.as_slice()).map_err(|_unreadable| corrupt())?;
    if Sha256Hex::of(&raw) == *sha256 { Ok(raw) } else { Err(corrupt()) }
}

async fn select(connection: &mut PgConnection, name_or_hash: Option<&str>) -> Result<Vec<StoredDataset>> {
    let rows = sqlx::query_as!(
        DatasetRow,
        "SELECT sha256, name, size_bytes, prompt_count, submitted_by, added_at FROM datasets
         WHERE $1::text IS NULL OR name = $1 OR sha256 = $1
         ORDER BY sha256 IS NOT DISTINCT FROM $1 DESC, added_at DESC, sha256",
        name_or_hash,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StoredDataset::try_from).collect()
}

impl TryFrom<DatasetRow> for StoredDataset {
    type Error = Error;

    fn try_from(row: DatasetRow) -> Result<Self> {
        let corrupt = |what| Error::Corrupt { what, owner: format!("dataset {}", row.sha256), source: None };
        Ok(Self {
            sha256: row.sha256.parse().map_err(|_invalid| corrupt("hash"))?,
            name: row.name.parse().map_err(|_invalid| corrupt("name"))?,
            size_bytes: u64::try_from(row.size_bytes).map_err(|_negative| corrupt("size"))?,
            prompt_count: u32::try_from(row.prompt_count).map_err(|_negative| corrupt("prompt count"))?,
            submitted_by: row.submitted_by,
            added_at: row.added_at,
        })
    }
}
