//! The thin HTTP side: REST for programs, pages for people, and the intake for load generators. Handlers extract, call
//! one function of the store or of core, and answer.

#![warn(missing_docs)]

mod address;
mod app;
mod assets;
mod body;
mod chart;
mod decision;
mod error;
mod estimating;
mod fitting;
mod form;
mod frontier;
mod html;
mod hub;
mod limits;
pub mod metrics;
pub mod openapi;
mod options;
mod pages;
mod pricing;
mod reading;
mod reproduce;
mod rest;
mod security;
mod submission;
mod tier_costs;

pub use app::{App, Error, router, serve};
pub use options::ApiOptions;
