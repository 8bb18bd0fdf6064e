//! How the program ends: a message on stderr and a code that scripts can tell apart.

use std::process::ExitCode;

use crate::output::notice;

/// A failure with a code of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// What was named does not exist.
    #[error("{message}")]
    NotFound { message: String, hint: Option<String> },
    /// The server refused what was asked.
    #[error("{message}")]
    Refused { message: String, hint: Option<String> },
    /// The server does not answer.
    #[error("no AccelBench server answers at {url}: {problem}")]
    Unreachable { url: String, problem: String },
    /// The run ended without results.
    #[error("the run {verdict}: {reason}")]
    RunFailed { verdict: String, reason: String },
    /// The person pressed Ctrl-C while waiting.
    #[error("stopped waiting; the run goes on")]
    Interrupted { run_id: String },
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 3,
            Self::Unreachable { .. } => 5,
            Self::Refused { .. } => 6,
            Self::RunFailed { .. } => 7,
            Self::Interrupted { .. } => 130,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { hint, .. } | Self::Refused { hint, .. } => hint.clone(),
            Self::Unreachable { .. } => {
                Some("start one with `accelbench up`, or name another with --server URL".to_owned())
            }
            Self::RunFailed { .. } => None,
            Self::Interrupted { run_id } => Some(format!(
                "look at it with `accelbench runs show {run_id}`, end it with `accelbench runs cancel {run_id}`"
            )),
        }
    }
}

/// Tells what failed, why, and what to do about it.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    notice(&format!("error: {error:#}"));
    let Some(failure) = error.downcast_ref::<Failure>() else { return ExitCode::FAILURE };
    if let Some(hint) = failure.hint() {
        notice(&format!("hint: {hint}"));
    }
    ExitCode::from(failure.code())
}
