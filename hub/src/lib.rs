//! What the Hugging Face Hub says of a model: the commit behind a branch, who may read it, the facts that decide speed
//! and fit, or why the model cannot be benchmarked.
//!
//! [`Hub`] speaks HTTP; everything that is read out of its answers is a pure function of JSON. Nothing of a repository
//! is ever executed, and of its files only small JSON ones are read.

#![warn(missing_docs)]

mod answer;
mod complaint;
mod config;
mod error;
mod facts;
mod hub;
mod options;
mod refusal;
mod request;
mod resolved;

pub use error::HubError;
pub use facts::{Attention, DecoderFacts, NativeQuantization, ParameterBasis, Parameters, WeightFormat};
pub use hub::{Hub, Timeouts};
pub use options::HubOptions;
pub use refusal::{Refusal, RefusalReason};
pub use resolved::{Access, Approval, ResolvedModel, WeightsBasis, WeightsSize};
