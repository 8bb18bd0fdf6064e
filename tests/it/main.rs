//! Tests against real servers, one module per subject.

#![expect(clippy::unwrap_used, reason = "the vocabulary of tests may fail them")]

mod bad_input;
mod database;
mod endpoint;
mod failures;
mod runs;
