//! What a look at an installation found: named, with what to do where something is wrong.

use serde::{Deserialize, Serialize};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which part of the installation, for instance `database`.
    pub part: String,
    /// What of it, for instance `migrations`.
    pub check: String,
    /// How it is.
    pub outcome: FindingOutcome,
    /// What was seen.
    pub found: String,
    /// What to do, where something is to be done.
    pub advice: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingOutcome {
    /// As it should be.
    Pass,
    /// It could not be looked at, or need not be.
    Skip,
    /// It works, and something about it will not, or is not safe.
    Warn,
    /// It does not work.
    Fail,
}

impl FindingOutcome {
    /// The word used in JSON and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Finding {
    /// Something is as it should be.
    pub fn pass(part: &str, check: &str, found: impl Into<String>) -> Self {
        Self::of(part, check, FindingOutcome::Pass, found, None)
    }

    /// Something was not looked at.
    pub fn skip(part: &str, check: &str, why: impl Into<String>, advice: &str) -> Self {
        Self::of(part, check, FindingOutcome::Skip, why, Some(advice))
    }

    /// Something is not as it should be.
    pub fn warn(part: &str, check: &str, found: impl Into<String>, advice: &str) -> Self {
        Self::of(part, check, FindingOutcome::Warn, found, Some(advice))
    }

    /// Something does not work.
    pub fn fail(part: &str, check: &str, found: impl Into<String>, advice: &str) -> Self {
        Self::of(part, check, FindingOutcome::Fail, found, Some(advice))
    }

    fn of(
        part: &str,
        check: &str,
        outcome: FindingOutcome,
        found: impl Into<String>,
        advice: Option<&str>,
    ) -> Self {
        let advice = advice.map(str::to_owned);
        Self { part: part.to_owned(), check: check.to_owned(), outcome, found: found.into(), advice }
    }
}
