//! How the installation is doing, for people and for probes.

use std::collections::BTreeMap;

use accelbench_core::run::Phase;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};

use crate::Result;

/// The state of the installation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Status {
    /// How many runs are in each phase; every phase is there.
    pub runs_by_phase: BTreeMap<String, i64>,
    /// How many runs wait for a person.
    pub parked: i64,
    /// How many workers were seen in the last minute.
    pub workers_alive: i64,
    /// How long the oldest queued run has been waiting, in seconds.
    pub oldest_queued_s: Option<f64>,
    /// Version of the database server.
    pub database_version: String,
}

/// Reads the state of the installation.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn summary(connection: &mut PgConnection) -> Result<Status> {
    let counted = sqlx::query!(r#"SELECT phase, count(*) AS "count!" FROM runs GROUP BY phase"#)
        .fetch_all(&mut *connection)
        .await?;
    let mut runs_by_phase: BTreeMap<String, i64> =
        Phase::WORDS.into_iter().map(|phase| (phase.to_owned(), 0)).collect();
    runs_by_phase.extend(counted.into_iter().map(|row| (row.phase, row.count)));
    let rest = sqlx::query!(
        r#"SELECT
            (SELECT count(*) FROM runs WHERE parked_reason IS NOT NULL) AS "parked!",
            (SELECT count(*) FROM apalis.workers
                WHERE worker_type = 'runs' AND last_seen > now() - interval '60 seconds') AS "workers_alive!",
            (SELECT extract(epoch FROM now() - min(created_at))::float8 FROM runs WHERE phase = 'queued')
                AS oldest_queued_s,
            current_setting('server_version') AS "database_version!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(Status {
        runs_by_phase,
        parked: rest.parked,
        workers_alive: rest.workers_alive,
        oldest_queued_s: rest.oldest_queued_s,
        database_version: rest.database_version,
    })
}

/// Whether the database answers at all.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn answers(connection: &mut PgConnection) -> Result<()> {
    connection.ping().await?;
    Ok(())
}
