//! Everything that speaks SQL. Functions take a connection, so that the caller owns the transaction; each is one
//! statement where possible. Rules live in [`accelbench_core`] and in the migrations; here they are only joined.

#![warn(missing_docs)]

pub mod capacity;
pub mod catalog;
pub mod catalog_targets;
pub mod datasets;
pub mod engines;
pub mod error;
pub mod events;
pub mod health;
pub mod imported;
pub mod instances;
pub mod intake;
pub mod lease;
pub mod logs;
mod migrate;
pub mod models;
pub mod notifications;
pub mod platforms;
pub mod pool;
pub mod prices;
pub mod queue;
pub mod results;
pub mod runs;
pub mod schedules;
pub mod secrets;
pub mod seed;
pub mod status;

pub use error::Error;
pub use migrate::{migrate, migrations_fingerprint};
pub use sqlx::{PgConnection, PgPool};

/// A connection that returns to its pool.
pub type PooledConnection = sqlx::pool::PoolConnection<sqlx::Postgres>;

/// A transaction of the caller.
pub type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// Connects to the writer at `url` with at most `max_connections` connections.
///
/// # Errors
/// [`Error::Database`] when no connection can be made within 10 s.
pub async fn connect(url: &str, max_connections: u32) -> Result<PgPool> {
    pool::connect_writer(url, pool::PoolSettings::of(max_connections)).await
}

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;
