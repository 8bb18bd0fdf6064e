//! The store on a real PostgreSQL, a database for each test: what its functions do, and what the schema refuses whoever
//! asks. The driver writes as a worker does; what no function of ours would do is tried in raw SQL.

// So marked, clippy knows that every function here is a test's own.
#![cfg(test)]

mod builders;
mod cancellation;
mod capacity;
mod catalog;
mod catalog_targets;
mod datasets;
mod driver;
mod engines;
mod events;
mod imported;
mod instances;
mod intake;
mod lease;
mod logs;
mod migrate;
mod models;
mod notifications;
mod parking;
mod phases;
mod queue;
mod results;
mod runs;
mod schedules;
mod secrets;
mod seed;
mod status;
