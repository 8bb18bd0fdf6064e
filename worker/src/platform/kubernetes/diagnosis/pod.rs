//! A pod as a whole: where it is, and whether it was ended from outside.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, PodCondition};

use super::evidence::quote;

/// The node on which a pod runs.
#[must_use]
pub fn node_name(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

/// Whether the readiness probe succeeds.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

pub(super) fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

/// The status of its one container.
pub(super) fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

/// Why its container waits, and what more is said of that.
pub(super) fn waiting(pod: &Pod) -> Option<(&str, &str)> {
    let waiting = container(pod)?.state.as_ref()?.waiting.as_ref()?;
    Some((waiting.reason.as_deref()?, waiting.message.as_deref().unwrap_or_default()))
}

/// How the present container ended, otherwise how the one before did.
pub(super) fn termination(status: &ContainerStatus) -> Option<&ContainerState> {
    let ended = |state: &&ContainerState| state.terminated.is_some();
    status.state.as_ref().filter(ended).or_else(|| status.last_state.as_ref().filter(ended))
}

/// How a pod was ended from outside, if it was; it is replaced, but not by the same engine.
pub(super) fn ended(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    if let Some(disrupted) = condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True")
    {
        let (reason, message) = (&disrupted.reason, &disrupted.message);
        let said =
            format!("{}: {}", reason.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default());
        return Some(format!("the pod is being moved off its node ({}); run it again", quote(&said)));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Some("the pod was deleted from outside; run it again".to_owned());
    }
    // A pod whose container merely failed has no reason of its own.
    let reason = status.reason.as_deref().filter(|_| status.phase.as_deref() == Some("Failed"))?;
    let message = quote(status.message.as_deref().unwrap_or_default());
    Some(match reason {
        "Evicted" if message.contains("ephemeral-storage") => {
            format!(
                "the pod was evicted, since it filled its disk: choose an instance type with more ({message})"
            )
        }
        "Evicted" => format!("the pod was evicted: {message}; run it again"),
        "DeadlineExceeded" => format!("the pod reached its deadline: {message}"),
        reason => format!("the pod was ended by its node ({reason}: {message}); run it again"),
    })
}
