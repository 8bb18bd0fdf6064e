//! The load generator: fetches a run's plan, offers the planned load to the engine, measures, and delivers one report
//! for each load point. goose owns users, scheduling and stop; sending, reading, timing and counting are ours.
//!
//! How time is measured: on the monotonic clock; the send is stamped just before the request is written, a receive when
//! its read returns and before anything is parsed. Tokens are counted by the server's own usage.

mod access;
mod arrivals;
mod attack;
mod checks;
mod conversation;
mod engine;
mod intake;
mod loop_lag;
mod measure;
mod metrics;
mod options;
mod point;
mod progress;
mod prompts;
mod ramp_up;
mod recorder;
mod sample;
mod sink;
pub mod stream;

pub use access::{Access, ApiKey};
pub use measure::{measure, run, run_with_token};
pub use options::LoadgenOptions;
pub use sink::LoadSink;

/// Version and build of this load generator, as it is written into each report.
#[must_use]
pub fn version() -> String {
    let build = if cfg!(debug_assertions) { " (debug)" } else { "" };
    format!("{}{build}", env!("CARGO_PKG_VERSION"))
}
