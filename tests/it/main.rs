//! Tests against real servers, one module per subject.

#![expect(clippy::unwrap_used, reason = "the vocabulary of tests may fail them")]

mod bad_input;
mod bench;
mod canary;
mod catalog;
mod cluster;
mod command_line;
mod database;
mod doctor;
mod endpoint;
mod engine;
mod estimates;
mod failover;
mod failures;
mod hub;
mod logs;
mod metrics;
mod outage;
mod prices;
mod refusals;
mod runs;
mod up;
mod upgrade;
mod workers;
