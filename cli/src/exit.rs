//! How the program ends: a message on stderr and a code that scripts can tell apart.

use std::process::ExitCode;

use crate::output::notice;

/// Every way in which the program ends, with the code that scripts see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure,
    Usage,
    NotFound,
    Denied,
    Unreachable,
    Refused,
    RunFailed,
    Pending,
    TimedOut,
    AssertionFailed,
    Interrupted,
}

impl End {
    /// All of them, in the order of their codes.
    pub(crate) const ALL: [Self; 12] = [
        Self::Success,
        Self::Failure,
        Self::Usage,
        Self::NotFound,
        Self::Denied,
        Self::Unreachable,
        Self::Refused,
        Self::RunFailed,
        Self::Pending,
        Self::TimedOut,
        Self::AssertionFailed,
        Self::Interrupted,
    ];

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Unreachable => 5,
            Self::Refused => 6,
            Self::RunFailed => 7,
            Self::Pending => 8,
            Self::TimedOut => 9,
            Self::AssertionFailed => 99,
            Self::Interrupted => 130,
        }
    }

    /// What the code means.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "it was done",
            Self::Failure => "something else failed; the message says what",
            Self::Usage => "the command line cannot be understood",
            Self::NotFound => "what was named does not exist: a model, an instance type, a run, a result",
            Self::Denied => "access is denied, for instance to a gated model without a token",
            Self::Unreachable => "no server answers",
            Self::Refused => "the server refused it: it does not fit, costs too much, or breaks a rule",
            Self::RunFailed => "the run ended without results",
            Self::Pending => "the run has not ended yet (runs show --exit-status)",
            Self::TimedOut => "the waiting took longer than --wait-timeout; the run goes on",
            Self::AssertionFailed => "an --assert does not hold, or something is worse than the --baseline",
            Self::Interrupted => "Ctrl-C ended the waiting; the run goes on",
        }
    }
}

/// A failure with a code of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line contradicts itself in a way that its grammar cannot tell.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    /// What was named does not exist.
    #[error("{message}")]
    NotFound { message: String, hint: Option<String> },
    /// Somebody must be asked for access first.
    #[error("{message}")]
    Denied { message: String, hint: Option<String> },
    /// The server refused what was asked.
    #[error("{message}")]
    Refused { message: String, hint: Option<String> },
    /// The server does not answer.
    #[error("no AccelBench server answers at {url}: {problem}")]
    Unreachable { url: String, problem: String },
    /// The run ended without results.
    #[error("the run {verdict}: {reason}")]
    RunFailed { verdict: String, reason: String },
    /// The run has not ended.
    #[error("run {run_id} is {phase}")]
    Pending { run_id: String, phase: String },
    /// The waiting took too long.
    #[error("stopped waiting after {seconds} s; the run goes on")]
    TimedOut { run_id: String, seconds: u64 },
    /// What was measured does not keep what was asserted.
    #[error("{count} of {all} assertions failed")]
    AssertionFailed { count: usize, all: usize },
    /// The person pressed Ctrl-C while waiting.
    #[error("stopped waiting; the run goes on")]
    Interrupted { run_id: String },
}

impl Failure {
    pub(crate) fn end(&self) -> End {
        match self {
            Self::Usage { .. } => End::Usage,
            Self::NotFound { .. } => End::NotFound,
            Self::Denied { .. } => End::Denied,
            Self::Unreachable { .. } => End::Unreachable,
            Self::Refused { .. } => End::Refused,
            Self::RunFailed { .. } => End::RunFailed,
            Self::Pending { .. } => End::Pending,
            Self::TimedOut { .. } => End::TimedOut,
            Self::AssertionFailed { .. } => End::AssertionFailed,
            Self::Interrupted { .. } => End::Interrupted,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. }
            | Self::NotFound { hint, .. }
            | Self::Denied { hint, .. }
            | Self::Refused { hint, .. } => hint.clone(),
            Self::Unreachable { .. } => {
                Some("start one with `accelbench up`, or name another with --server URL".to_owned())
            }
            Self::RunFailed { .. } | Self::AssertionFailed { .. } => None,
            Self::Pending { run_id, .. } => {
                Some(format!("wait for it with `accelbench runs watch {run_id}`"))
            }
            Self::TimedOut { run_id, .. } | Self::Interrupted { run_id } => Some(format!(
                "go on with `accelbench runs watch {run_id}`, end it with `accelbench runs cancel {run_id}`"
            )),
        }
    }
}

/// Tells what failed, why, and what to do about it.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    notice(&format!("error: {error:#}"));
    let Some(failure) = error.downcast_ref::<Failure>() else { return ExitCode::from(End::Failure.code()) };
    if let Some(hint) = failure.hint() {
        notice(&format!("hint: {hint}"));
    }
    ExitCode::from(failure.end().code())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::End;

    #[test]
    fn every_end_has_a_code_of_its_own() {
        let codes: BTreeSet<u8> = End::ALL.into_iter().map(End::code).collect();
        assert_eq!(codes.len(), End::ALL.len());
        assert!(End::ALL.is_sorted_by_key(|end| end.code()));
    }
}
