//! The timeline of a run: what happened, when, and in words. Events are numbered without gaps from 1 on.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of a run's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunEvent {
    /// Its number within the run, from 1 on.
    pub sequence: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The phase that the run was in after it.
    pub phase: String,
    /// What kind of event it is.
    pub kind: EventKind,
    /// What happened, as a sentence for a person.
    pub message: String,
}

/// Kind of a timeline entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The run was submitted.
    Submitted,
    /// The run reached another phase.
    Phase,
    /// Something happened inside a phase, for instance a load point's report arrived.
    Detail,
    /// A step failed and will be tried again.
    Retry,
    /// Somebody asked for the cancellation.
    CancelRequested,
    /// The run was parked: it waits for a person.
    Parked,
    /// A person re-queued a parked run.
    Requeued,
}

impl EventKind {
    /// Every kind, for the check that SQL knows the same words.
    pub const ALL: [Self; 7] = [
        Self::Submitted,
        Self::Phase,
        Self::Detail,
        Self::Retry,
        Self::CancelRequested,
        Self::Parked,
        Self::Requeued,
    ];

    /// The word used in SQL and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Phase => "phase",
            Self::Detail => "detail",
            Self::Retry => "retry",
            Self::CancelRequested => "cancel_requested",
            Self::Parked => "parked",
            Self::Requeued => "requeued",
        }
    }

    /// The kind that the stored word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
