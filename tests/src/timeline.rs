//! What the timelines of runs say of all of them together.

use accelbench_store::PgPool;

/// The most runs that were under way at one moment, from their first step to their end.
///
/// # Errors
/// When the database cannot be read.
pub async fn most_under_way(pool: &PgPool) -> anyhow::Result<i64> {
    let most = "WITH span AS (
            SELECT min(at) FILTER (WHERE phase = 'deploying') AS begun,
                coalesce(min(at) FILTER (WHERE phase = 'finished'), 'infinity') AS ended
            FROM run_events GROUP BY run_id)
        SELECT coalesce(max((SELECT count(*) FROM span other
            WHERE other.begun <= span.begun AND other.ended > span.begun)), 0)
        FROM span";
    Ok(sqlx::query_scalar(most).fetch_one(pool).await?)
}
