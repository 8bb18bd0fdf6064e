//! What is wrong with a run, in words: pure functions of what was seen of its pods, events, node claims and logs. What
//! is certain never to work is [`Finding::Fatal`], so that a run ends within seconds instead of at its time-out. How
//! long to bear with what is pending is the caller's decision.

use accelbench_core::engine::profile::ProfileName;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

mod container;
mod engine_log;
mod evidence;
mod image;
mod loadgen;
mod node_claim;
mod pod;
mod scheduling;
#[cfg(test)]
mod tests;

pub use loadgen::{LoadFinding, loadgen};
pub use pod::{is_ready, node_name};
pub use scheduling::nominated_claim;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It may still work; the sentence says what was last seen.
    Pending(String),
    /// It will never work; the sentence says why and what to do.
    Fatal(String),
}

/// What was seen of an engine. Texts that foreign programs wrote are redacted before they come here.
#[derive(Debug, Clone, Copy)]
pub struct EngineObservation<'a> {
    /// The model, for advice.
    pub model: &'a str,
    /// The profile; `None` for the simulator.
    pub profile: Option<ProfileName>,
    /// The newest pod of the engine's Deployment, if there is one.
    pub pod: Option<&'a Pod>,
    /// Events of the run's namespace that concern its pods and ReplicaSets, and those of its node claims if they can be
    /// read; in any order.
    pub events: &'a [Event],
    /// Karpenter's node claims that the pod may be waiting for.
    pub node_claims: &'a [Value],
    /// The end of the engine's log; after a restart, that of the container before.
    pub log_tail: &'a str,
}

/// How often an engine may end and be started again before it is given up: once for bad luck, once for a doubt.
pub const MOST_RESTARTS: i32 = 3;

impl Finding {
    /// The sentence, whichever it is.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Pending(sentence) | Self::Fatal(sentence) => sentence,
        }
    }
}

/// Why an engine is not ready yet, or never will be.
#[must_use]
pub fn engine(seen: &EngineObservation<'_>) -> Finding {
    let Some(pod) = seen.pod else { return scheduling::without_pod(seen.events) };
    pod::ended(pod)
        .map(Finding::Fatal)
        .or_else(|| image::finding(pod, seen.events))
        .or_else(|| container::finding(pod, seen))
        .or_else(|| scheduling::finding(pod, seen))
        .unwrap_or_else(|| scheduling::starting(pod, seen.events))
}

/// Why an engine that served at `served_at` (when the load generator was made) is not the same any more: it ended, or
/// began anew. Whatever is measured afterwards is another engine, cold again.
#[must_use]
pub fn interruption(seen: &EngineObservation<'_>, served_at: &Time) -> Option<String> {
    let Some(pod) = seen.pod else {
        return Some("the engine's pod is gone (deleted from outside?); run it again".to_owned());
    };
    pod::ended(pod).or_else(|| container::interruption(pod, seen, served_at))
}
