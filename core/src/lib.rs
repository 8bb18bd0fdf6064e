//! The subject of AccelBench, without any input or output: what a model, an instance type, a run, a load point and a
//! result are, how a run proceeds, and how its numbers are defined. No clock, no socket, no database is touched here,
//! so that every rule can be tested by calling a function.
//!
//! [`run`] is the life of a benchmark, [`load`] the contract with the load generator, [`result`](mod@result) what is
//! kept for ever.

#![warn(missing_docs)]

pub mod catalog;
pub mod comparison;
pub mod cost;
pub mod dataset;
pub mod engine;
pub mod estimate;
pub mod exchange;
pub mod exploration;
pub mod finding;
pub mod fit;
pub mod imported;
pub mod instance;
pub mod load;
pub mod metric;
pub mod model;
pub mod observed;
pub mod prediction;
pub mod price;
pub mod recommendation;
pub mod result;
pub mod run;
pub mod secret;
pub mod slo;
pub mod stats;
pub mod validity;
pub mod workload;
