//! The pages: a struct, a template and a handler each.

pub(crate) mod error;
pub(crate) mod run;
pub(crate) mod runs;
