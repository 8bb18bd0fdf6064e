//! The server's addresses, asked as a client asks, on a database of each test's own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails fails its test")]

mod api;
mod browser;
mod catalog;
mod catalog_targets;
mod estimates;
mod events;
mod fits;
mod harness;
mod hub;
mod imported;
mod intake;
mod limits;
mod new_run;
mod pages;
mod recommendations;
mod results;
mod runs;
mod shutdown;
mod site;
