//! Why the simulator does not start, or ends.

use std::io;

/// Why the simulator does not start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument is out of range.
    #[error("{option}: {problem}")]
    Option {
        /// The argument.
        option: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// The weights leave no memory, or do not fit at all.
    #[error(
        "the model needs {needed_gib:.1} GiB for its weights, the accelerators hold {held_gib:.1} GiB, of which \
         {usable_gib:.1} GiB are usable; use more or larger accelerators, or a stronger quantisation"
    )]
    WeightsDoNotFit {
        /// Size of the weights, in GiB.
        needed_gib: f64,
        /// Memory of all accelerators, in GiB.
        held_gib: f64,
        /// The part of it that the engine takes, in GiB.
        usable_gib: f64,
    },
    /// The memory beside the weights cannot hold one sequence of the longest context.
    #[error(
        "--max-context of {asked_tokens} tokens does not fit: the memory beside the weights holds {held_tokens} \
         tokens; lower --max-context to that"
    )]
    ContextDoesNotFit {
        /// The asked longest context, in tokens.
        asked_tokens: u32,
        /// What the cache holds, in tokens.
        held_tokens: u64,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; is the port taken? `--port 0` takes a free one")]
    Listen {
        /// Host and port.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The server or the engine's thread failed.
    #[error("the server failed")]
    Serve(#[source] io::Error),
    /// `--exit-after-s` came due.
    #[error("the engine died, as --exit-after-s {after_s} asked")]
    Died {
        /// Seconds that it lived.
        after_s: f64,
    },
}

impl Error {
    pub(crate) fn option(option: &'static str, problem: &str) -> Self {
        Self::Option { option, problem: problem.to_owned() }
    }
}
