//! A pod that has no node, or has one and no container yet.

use k8s_openapi::api::core::v1::{Event, Pod};

use super::evidence::{holds_any, quote};
use super::pod::{condition, node_name};
use super::{EngineObservation, Finding, node_claim};

/// Why there is no pod at all.
pub(super) fn without_pod(events: &[Event]) -> Finding {
    let Some(message) = newest(events, &["FailedCreate"]) else {
        return Finding::Pending("the pod is being made".to_owned());
    };
    let said = quote(message);
    if holds_any(message, &["exceeded quota"]) {
        return Finding::Pending(format!("the namespace's quota is used up: {said}"));
    }
    if holds_any(message, &["is forbidden", "violates podsecurity", "serviceaccount"]) {
        return Finding::Fatal(format!(
            "the cluster does not let the pod be made: {said}; apply deploy/kubernetes and check the namespace"
        ));
    }
    Finding::Pending(format!("the pod cannot be made yet: {said}"))
}

/// What a pod without a node waits for; nothing for one that has a node.
pub(super) fn finding(pod: &Pod, seen: &EngineObservation<'_>) -> Option<Finding> {
    if node_name(pod).is_some() {
        return None;
    }
    if let Some(found) = node_claim::finding(seen.node_claims, seen.events) {
        return Some(found);
    }
    let event = newest_event(seen.events, &["Nominated", "FailedScheduling"]);
    let said = event.and_then(|event| event.message.as_deref());
    if let Some(message) = said.filter(|_| event.is_some_and(is_nomination)) {
        return Some(Finding::Pending(format!("Karpenter has a node in hand ({})", quote(message))));
    }
    let unschedulable = condition(pod, "PodScheduled").filter(|condition| condition.status == "False");
    let message = said.or_else(|| unschedulable.and_then(|condition| condition.message.as_deref()));
    Some(Finding::Pending(message.map_or_else(|| "the pod waits for a node".to_owned(), no_node)))
}

/// The node claim that Karpenter made or chose for a pod, by the pod's events.
#[must_use]
pub fn nominated_claim(events: &[Event]) -> Option<&str> {
    let said = newest(events, &["Nominated"])?;
    said.split("nodeclaim/").nth(1)?.split([',', ' ']).next()
}

fn is_nomination(event: &Event) -> bool {
    event.reason.as_deref() == Some("Nominated")
}

/// None of these is for ever: nodes come, quotas are raised, and Karpenter forgets what it could not get.
fn no_node(message: &str) -> String {
    let said = quote(message);
    if holds_any(message, &["exceed limits for nodepool", "exceeds limits", "would exceed"]) {
        return format!("the node pool's limit is reached: wait for other runs, or raise it ({said})");
    }
    if holds_any(message, &["incompatible with nodepool", "no nodepools found", "no instance type"]) {
        return format!(
            "no node pool offers such a node now: check its instance families and its zones ({said})"
        );
    }
    format!("no node fits yet ({said})")
}

/// A pod that has a node, but no container yet.
pub(super) fn starting(pod: &Pod, events: &[Event]) -> Finding {
    let node = node_name(pod).unwrap_or("its node");
    let trouble = ["FailedCreatePodSandBox", "FailedMount", "FailedAttachVolume"];
    Finding::Pending(match (newest(events, &trouble), newest(events, &["Pulling", "Pulled"])) {
        (Some(message), _) => format!("the pod cannot be started on {node} yet: {}", quote(message)),
        (None, Some(message)) if message.starts_with("Pulling") => {
            format!("{node} pulls the image, which is several GB ({})", quote(message))
        }
        (None, _) => format!("the pod is being started on {node}"),
    })
}

/// The message of the newest event of these reasons.
pub(super) fn newest<'a>(events: &'a [Event], reasons: &[&str]) -> Option<&'a str> {
    newest_event(events, reasons)?.message.as_deref()
}

fn newest_event<'a>(events: &'a [Event], reasons: &[&str]) -> Option<&'a Event> {
    let of_these = |event: &&Event| event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason));
    let at = |event: &&Event| {
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        last.or_else(|| event.event_time.as_ref().map(|time| time.0))
    };
    events.iter().filter(of_these).max_by_key(at)
}
