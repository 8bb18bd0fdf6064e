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
pub mod prices;
pub mod queue;
pub mod results;
pub mod runs;
pub mod schedules;
pub mod secrets;
pub mod seed;
pub mod status;

pub use error::Error;
pub use migrate::{connect, migrate, migrations_fingerprint};
pub use sqlx::{PgConnection, PgPool};

/// A connection that returns to its pool.
pub type PooledConnection = sqlx::pool::PoolConnection<sqlx::Postgres>;

/// A transaction of the caller.
pub type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;
