//! The last part of what a run's processes wrote.

use accelbench_core::run::RunId;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::PgConnection;

use crate::Result;

/// Whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum LogSource {
    /// The engine's.
    Engine,
    /// The load generator's.
    Loadgen,
}

impl LogSource {
    /// The word used in SQL and URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Loadgen => "loadgen",
        }
    }

    /// The source that the word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Engine, Self::Loadgen].into_iter().find(|source| source.as_str() == word)
    }
}

/// A log as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredLog {
    /// The text.
    pub content: String,
    /// Whether something before it was cut off.
    pub truncated: bool,
    /// When it was taken.
    pub captured_at: DateTime<Utc>,
}

/// Keeps a log; a later one takes the place of an earlier one.
///
/// # Errors
/// [`crate::Error::Database`] with the constraint for a log over 1 MiB.
pub async fn put(
    connection: &mut PgConnection,
    run_id: RunId,
    source: LogSource,
    content: &str,
    truncated: bool,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO run_logs (run_id, source, content, truncated) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run_id, source) DO UPDATE
         SET content = excluded.content, truncated = excluded.truncated, captured_at = now()",
        run_id.uuid(),
        source.as_str(),
        content,
        truncated,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The log of a run, if one was kept.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn find(
    connection: &mut PgConnection,
    run_id: RunId,
    source: LogSource,
) -> Result<Option<StoredLog>> {
    let log = sqlx::query_as!(
        StoredLog,
        "SELECT content, truncated, captured_at FROM run_logs WHERE run_id = $1 AND source = $2",
        run_id.uuid(),
        source.as_str(),
    );
    Ok(log.fetch_optional(connection).await?)
}
