//! Results: recorded once and completely, read in many ways, never changed.

mod filters;
mod recording;
mod refusals;
mod supersession;
mod unchangeable;
