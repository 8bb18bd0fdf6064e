//! Bringing a database to this version's schema.

use std::collections::BTreeSet;

use apalis_postgres::PostgresStorage;
use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::{PgConnection, PgPool};

use crate::{Error, Result};

static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Applies the migrations that are missing: the queue's, then ours. Safe to call from several processes at once.
///
/// # Errors
/// [`Error::Migration`] when one cannot be applied, for instance when a newer release was here before.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    // apalis's migrations create extensions, and two processes that do so at once make one of them fail: its own lock
    // does not cover that, so everything runs under one of ours.
    let mut guard = pool.acquire().await?;
    // Whoever gives up midway gives up the lock too.
    guard.close_on_drop();
    guard.lock().await.map_err(|error| Error::Migration(error.into()))?;
    let outcome = migrate_locked(&mut guard).await;
    guard.unlock().await.map_err(|error| Error::Migration(error.into()))?;
    outcome
}

async fn migrate_locked(connection: &mut PgConnection) -> Result<()> {
    let mut queue = PostgresStorage::<()>::migrations();
    queue.set_locking(false);
    queue.run(&mut *connection).await.map_err(|error| Error::Migration(error.into()))?;
    let mut ours = Migrator { migrations: MIGRATOR.migrations.clone(), ..Migrator::DEFAULT };
    ours.set_locking(false);
    ours.run(connection).await.map_err(|error| Error::Migration(error.into()))
}

/// The versions of our migrations of this release; the queue's, which have a table of their own, are applied before them.
pub(crate) fn migration_versions() -> BTreeSet<i64> {
    MIGRATOR.iter().map(|migration| migration.version).collect()
}

/// A text that differs whenever the set of migrations does.
#[must_use]
pub fn migrations_fingerprint() -> String {
    let queue = PostgresStorage::<()>::migrations();
    let checksums: Vec<u8> = queue
        .iter()
        .chain(MIGRATOR.iter())
        .flat_map(|migration| migration.checksum.iter().copied())
        .collect();
    accelbench_core::dataset::Sha256Hex::of(&checksums).as_str()[..16].to_owned()
}
