//! The pages: a struct, a template and a handler each.

pub(crate) mod error;
pub(crate) mod frame;
pub(crate) mod home;
pub(crate) mod new_run;
pub(crate) mod run;
pub(crate) mod runs;
