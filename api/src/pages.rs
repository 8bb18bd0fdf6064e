//! The pages: a struct, a template and a handler each.

pub(crate) mod catalog;
pub(crate) mod compare;
pub(crate) mod docs;
pub(crate) mod error;
pub(crate) mod frame;
pub(crate) mod home;
pub(crate) mod instance;
pub(crate) mod instances;
pub(crate) mod methodology;
pub(crate) mod model;
pub(crate) mod models;
pub(crate) mod new_run;
pub(crate) mod published;
pub(crate) mod readings;
pub(crate) mod result;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod status;
