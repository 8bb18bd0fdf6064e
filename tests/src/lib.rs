//! The test harness: what tests of several crates share. The tests themselves are in `it/`.

pub mod chaos;
pub mod cluster;
pub mod database;
pub mod double;
pub mod faults;
pub mod hub_double;
pub mod installation;
pub mod llama_cpp;
pub mod outage;
pub mod replicas;
pub mod timeline;
