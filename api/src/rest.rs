//! The REST API, one noun a file.

pub(crate) mod catalog;
pub(crate) mod catalog_targets;
pub(crate) mod datasets;
pub(crate) mod estimates;
pub(crate) mod events;
pub(crate) mod fits;
pub(crate) mod imported;
pub(crate) mod intake;
pub(crate) mod logs;
pub(crate) mod models;
pub(crate) mod pricing;
pub(crate) mod recommendations;
pub(crate) mod reference;
pub(crate) mod results;
pub(crate) mod runs;
