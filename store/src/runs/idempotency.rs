//! Keys under which a submission may be sent again. The unique key in the run's row decides, whatever server is asked and
//! however many at once; after a day a key is free again.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::run::RunId;
use sqlx::PgConnection;

use crate::Result;

/// A key, and what was sent under it.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyKey<'a> {
    /// The sender's name for this one request.
    pub key: &'a str,
    /// Hash of the request as it was sent.
    pub request_sha256: &'a Sha256Hex,
}

/// The run that was submitted under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptRun {
    /// The run.
    pub run_id: RunId,
    /// Whether the request was the same one.
    pub is_same_request: bool,
}

/// Finds the run that was submitted under a key within a day.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn find_kept(connection: &mut PgConnection, key: &IdempotencyKey<'_>) -> Result<Option<KeptRun>> {
    let kept = sqlx::query!(
        r#"SELECT run_id, coalesce(request_sha256 = $2, true) AS "is_same_request!" FROM runs
           WHERE idempotency_key = $1 AND created_at > now() - interval '1 day'"#,
        key.key,
        key.request_sha256.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(kept.map(|kept| KeptRun { run_id: kept.run_id.into(), is_same_request: kept.is_same_request }))
}

/// Frees a key that is older than a day.
pub(super) async fn free(connection: &mut PgConnection, key: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE runs SET idempotency_key = NULL, request_sha256 = NULL
         WHERE idempotency_key = $1 AND created_at <= now() - interval '1 day'",
        key,
    )
    .execute(connection)
    .await?;
    Ok(())
}
