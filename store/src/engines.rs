//! The engines that the workers of this installation can start by name.

use accelbench_core::engine::EngineName;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{Error, Result};

/// An engine that a request may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferedEngine {
    /// The name.
    pub engine: EngineName,
    /// The operator's command, with placeholders.
    pub command: Vec<String>,
    /// When a worker last offered it.
    pub offered_at: DateTime<Utc>,
}

/// Notes that workers can start this engine; the newest command counts.
///
/// # Errors
/// [`Error::Database`].
pub async fn offer(connection: &mut PgConnection, engine: &EngineName, command: &[String]) -> Result<()> {
    sqlx::query!(
        "INSERT INTO engines (engine, command) VALUES ($1, $2)
         ON CONFLICT (engine) DO UPDATE SET command = excluded.command, offered_at = now()",
        engine.as_str(),
        command,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// All engines by name.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection) -> Result<Vec<OfferedEngine>> {
    let rows = sqlx::query!("SELECT engine, command, offered_at FROM engines ORDER BY engine");
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let engine = row.engine.parse().map_err(|_invalid| Error::Corrupt {
                what: "name",
                owner: format!("engine {}", row.engine),
                source: None,
            })?;
            Ok(OfferedEngine { engine, command: row.command, offered_at: row.offered_at })
        })
        .collect()
}

/// The engine of this name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(connection: &mut PgConnection, engine: &EngineName) -> Result<OfferedEngine> {
    let found = list(connection).await?.into_iter().find(|offered| offered.engine == *engine);
    found.ok_or_else(|| Error::NotFound { what: "engine", name: engine.to_string() })
}

/// The names of all engines.
///
/// # Errors
/// [`Error::Database`].
pub async fn names(connection: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("SELECT engine FROM engines ORDER BY engine").fetch_all(connection).await?)
}
