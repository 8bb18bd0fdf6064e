//! The life of a run as a pure function. The same rule stands as a CHECK and a trigger in the database, and every
//! write is a compare-and-swap on the phase, so that no other life can be lived.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a run is in its life. A verdict exists only in the two phases that have one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "phase", content = "verdict", rename_all = "snake_case")]
pub enum Phase {
    /// Waits for a place in its capacity group. Left when a worker claims it.
    Queued,
    /// The engine is being started. Left when the platform has taken everything.
    Deploying,
    /// The engine starts up. Left when it answers as healthy and lists the model.
    AwaitingReady,
    /// The load generator works. Left when every load point's report has arrived.
    Loading,
    /// The results are being written. Left in the transaction that writes them.
    Recording,
    /// Everything of the run is being removed. Left when nothing of it is there any more.
    TearingDown(Verdict),
    /// Nothing of the run is left but its record. Never left.
    Finished(Verdict),
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// All results are recorded.
    Succeeded,
    /// There are no results.
    Failed {
        /// Why, as a sentence for a person.
        reason: String,
    },
    /// A person cancelled it; there are no results.
    Cancelled,
}

/// What moves a run from one phase to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Transition {
    /// A worker found a free place for it.
    Claim,
    /// The platform has taken everything.
    Deployed,
    /// The engine is ready.
    Ready,
    /// Every load point's report has arrived.
    Loaded,
    /// The results are written and read back.
    Recorded,
    /// It ends early: failure, deadline or cancellation.
    End(Verdict),
    /// Nothing of it is left on the platform.
    TornDown,
}

/// A transition that the present phase does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {phase} cannot take the step {transition:?}")]
pub struct IllegalTransition {
    phase: Phase,
    transition: Transition,
}

impl Phase {
    /// The words of all phases, in the order of a run's life.
    pub const WORDS: [&'static str; 7] =
        ["queued", "deploying", "awaiting_ready", "loading", "recording", "tearing_down", "finished"];

    /// The phase after `transition`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the present phase does not allow it.
    pub fn next(self, transition: Transition) -> Result<Self, IllegalTransition> {
        Ok(match (self, transition) {
            (Self::Queued, Transition::Claim) => Self::Deploying,
            (Self::Deploying, Transition::Deployed) => Self::AwaitingReady,
            (Self::AwaitingReady, Transition::Ready) => Self::Loading,
            (Self::Loading, Transition::Loaded) => Self::Recording,
            (Self::Recording, Transition::Recorded) => Self::TearingDown(Verdict::Succeeded),
            (phase, Transition::End(verdict)) if phase.may_end_early() && verdict != Verdict::Succeeded => {
                Self::TearingDown(verdict)
            }
            (Self::TearingDown(verdict), Transition::TornDown) => Self::Finished(verdict),
            (phase, transition) => return Err(IllegalTransition { phase, transition }),
        })
    }

    /// Whether failure, deadline and cancellation still change how the run ends.
    #[must_use]
    pub fn may_end_early(&self) -> bool {
        !matches!(self, Self::TearingDown(_) | Self::Finished(_))
    }

    /// Whether nothing happens to the run any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Finished(_))
    }

    /// How the run ends, once that is decided.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::TearingDown(verdict) | Self::Finished(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// The word used in SQL, JSON, HTML and on the command line.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Deploying => "deploying",
            Self::AwaitingReady => "awaiting_ready",
            Self::Loading => "loading",
            Self::Recording => "recording",
            Self::TearingDown(_) => "tearing_down",
            Self::Finished(_) => "finished",
        }
    }

    /// The phase that the stored words stand for; `None` for words that make no phase.
    #[must_use]
    pub fn from_parts(phase: &str, verdict: Option<Verdict>) -> Option<Self> {
        Some(match (phase, verdict) {
            ("queued", None) => Self::Queued,
            ("deploying", None) => Self::Deploying,
            ("awaiting_ready", None) => Self::AwaitingReady,
            ("loading", None) => Self::Loading,
            ("recording", None) => Self::Recording,
            ("tearing_down", Some(verdict)) => Self::TearingDown(verdict),
            ("finished", Some(verdict)) => Self::Finished(verdict),
            _ => return None,
        })
    }
}

impl Verdict {
    /// A failure with its reason.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into() }
    }

    /// The word used in SQL, JSON, HTML and on the command line.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Why the run failed, if it did.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed { reason } => Some(reason),
            Self::Succeeded | Self::Cancelled => None,
        }
    }

    /// The verdict that the stored words stand for; `None` for words that make no verdict.
    #[must_use]
    pub fn from_parts(verdict: &str, reason: Option<String>) -> Option<Self> {
        match (verdict, reason) {
            ("succeeded", None) => Some(Self::Succeeded),
            ("cancelled", None) => Some(Self::Cancelled),
            ("failed", Some(reason)) => Some(Self::Failed { reason }),
            _ => None,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict() {
            Some(verdict) => write!(formatter, "{} ({})", self.as_str(), verdict.as_str()),
            None => formatter.write_str(self.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Transition, Verdict};

    fn phases() -> Vec<Phase> {
        let failed = || Verdict::failed("the engine exited");
        vec![
            Phase::Queued,
            Phase::Deploying,
            Phase::AwaitingReady,
            Phase::Loading,
            Phase::Recording,
            Phase::TearingDown(Verdict::Succeeded),
            Phase::TearingDown(failed()),
            Phase::Finished(Verdict::Succeeded),
            Phase::Finished(failed()),
            Phase::Finished(Verdict::Cancelled),
        ]
    }

    #[test]
    fn a_successful_run_passes_through_every_phase_in_order() {
        let steps = [
            Transition::Claim,
            Transition::Deployed,
            Transition::Ready,
            Transition::Loaded,
            Transition::Recorded,
            Transition::TornDown,
        ];
        let end = steps.into_iter().try_fold(Phase::Queued, Phase::next);
        assert_eq!(end, Ok(Phase::Finished(Verdict::Succeeded)));
    }

    #[test]
    fn every_phase_before_teardown_can_end_early_and_none_after() {
        for phase in phases() {
            let ended = phase.clone().next(Transition::End(Verdict::Cancelled));
            assert_eq!(ended.is_ok(), phase.may_end_early(), "{phase}");
        }
    }

    #[test]
    fn success_is_only_reached_by_recording() {
        for phase in phases() {
            assert!(phase.clone().next(Transition::End(Verdict::Succeeded)).is_err(), "{phase}");
        }
    }

    #[test]
    fn a_finished_run_never_moves() {
        let finished = Phase::Finished(Verdict::Cancelled);
        for transition in [
            Transition::Claim,
            Transition::Deployed,
            Transition::Ready,
            Transition::Loaded,
            Transition::Recorded,
            Transition::End(Verdict::Cancelled),
            Transition::TornDown,
        ] {
            assert!(finished.clone().next(transition).is_err());
        }
    }

    #[test]
    fn the_stored_words_bring_every_phase_back() {
        for phase in phases() {
            let verdict = phase.verdict().and_then(|verdict| {
                Verdict::from_parts(verdict.as_str(), verdict.reason().map(str::to_owned))
            });
            assert_eq!(Phase::from_parts(phase.as_str(), verdict), Some(phase));
        }
        assert_eq!(Phase::from_parts("queued", Some(Verdict::Cancelled)), None);
        assert_eq!(Phase::from_parts("finished", None), None);
        assert_eq!(Verdict::from_parts("failed", None), None);
    }
}
