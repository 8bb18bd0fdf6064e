//! A private PostgreSQL server under a data directory: finds the binaries, makes the cluster, runs the server as
//! a supervised child and stops it again. Used by `accelbench up` and by the tests.
//!
//! It speaks no SQL (that is the store's), listens on 127.0.0.1 alone, and works when started as root, which
//! PostgreSQL itself refuses, by handing the server to another account.

mod account;
mod cluster;
mod data_directory;
mod error;
mod installation;
mod postmaster;
mod server;

pub use cluster::{Cluster, ClusterOptions, DATABASE, Durability, stop_orphan};
pub use data_directory::default_data_directory;
pub use error::Error;
pub use installation::{Installation, OLDEST_MAJOR_VERSION};
pub use postmaster::Postmaster;
