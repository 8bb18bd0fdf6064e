//! An OpenAI-compatible engine simulator: for demos, tests and fidelity checks without an accelerator. It answers over
//! HTTP in the shapes of recorded vLLM streams, and takes its time from a model of an engine with continuous batching.
//!
//! It identifies itself as what it is (`/version`, the `server` header, `owned_by`), so that nothing it answers can
//! pass for a measurement. It simulates no prefix cache, no speculative decoding and one prompt and choice a request.
//!
//! ```no_run
//! # async fn example() -> Result<(), accelbench_simulator::Error> {
//! let mut options = accelbench_simulator::SimulatorOptions::default();
//! options.port = 0;
//! let listener = accelbench_simulator::bind(&options).await?;
//! accelbench_simulator::serve(options, listener, std::future::pending()).await
//! # }
//! ```

#![warn(missing_docs)]

mod clock;
mod engine;
mod error;
mod fault;
mod metrics;
mod options;
mod serve;
mod server;
mod tokenizer;

pub use engine::Interconnect;
pub use error::Error;
pub use options::{
    AnswerOptions, FaultOptions, HardwareOptions, LimitOptions, ModelOptions, PaceOptions, SimulatorOptions,
    Timing,
};
pub use serve::{bind, serve};
pub use tokenizer::{count as count_tokens, tokenize};

/// How the simulator names itself and its version.
pub const VERSION: &str = concat!("accelbench-simulator ", env!("CARGO_PKG_VERSION"));
