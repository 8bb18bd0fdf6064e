//! The queue's consumer: takes ticks, drives runs one step at a time, and keeps the clock of what repeats. Nothing of a
//! run lives in this process: it may be killed at any instruction, and another worker carries on from the rows and from
//! what is on the platform.

#![warn(missing_docs)]

pub mod driver;
pub mod ec2;
pub mod jobs;
pub mod metrics;
pub mod options;
pub mod platform;
pub mod prices;
mod provenance;
mod pulse;
mod reaper;
mod schedules;
pub mod supervise;
mod tick;
mod worker;

pub use metrics::WorkerMetrics;
pub use options::{CatalogOptions, PriceOptions, WorkerOptions};
pub use pulse::Pulse;
pub use worker::{Worker, run};
