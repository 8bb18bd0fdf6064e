//! Whether a load point's numbers can be trusted: named checks with what was seen, the limit and a sentence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One check of one load point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Name of the check, for instance `error_share`.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen, in the unit that the sentence gives.
    pub observed: f64,
    /// The limit that it was held against.
    pub limit: f64,
    /// The check in words, with its numbers.
    pub sentence: String,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The result can be trusted in this respect.
    Pass,
    /// Usable, with the stated reservation.
    Warn,
    /// Not usable: the result is kept, but out of rankings.
    Fail,
}

impl Outcome {
    /// The word used in SQL, JSON and HTML.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The worst outcome among `checks`; no checks at all is `Fail`, because nothing vouches for the numbers.
#[must_use]
pub fn overall(checks: &[Check]) -> Outcome {
    checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Fail)
}

#[cfg(test)]
mod tests {
    use super::{Check, Outcome, overall};

    fn check(outcome: Outcome) -> Check {
        Check { name: "error_share".to_owned(), outcome, observed: 0.0, limit: 0.01, sentence: String::new() }
    }

    #[test]
    fn the_worst_check_decides() {
        assert_eq!(overall(&[check(Outcome::Pass), check(Outcome::Warn)]), Outcome::Warn);
        assert_eq!(overall(&[check(Outcome::Fail), check(Outcome::Pass)]), Outcome::Fail);
        assert_eq!(overall(&[check(Outcome::Pass)]), Outcome::Pass);
        assert_eq!(overall(&[]), Outcome::Fail);
    }
}
