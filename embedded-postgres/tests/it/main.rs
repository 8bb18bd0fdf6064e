//! Real servers in directories of their own: first start, restart, every way to be interrupted, and two owners.

mod cluster;
mod fixture;
mod interrupted;
mod root;
