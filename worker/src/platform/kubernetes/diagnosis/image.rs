//! Images that cannot be pulled: a registry that is busy is asked again, one that says no is not.

use k8s_openapi::api::core::v1::{Event, Pod};

use super::Finding;
use super::evidence::{holds_any, quote};
use super::pod::{container, waiting};

/// What a registry (or containerd for it) says when it will never give the image.
const REFUSALS: [&str; 9] = [
    "manifest unknown",
    ": not found",
    "code = notfound",
    "pull access denied",
    "insufficient_scope",
    "unauthorized",
    "403 forbidden",
    "no match for platform",
    "repository does not exist",
];

/// How often a registry is asked that does not answer properly; kubelet's pauses make it some minutes.
const MOST_TRIES: i32 = 5;

/// What is wrong with the pull of a pod's image, if anything is.
pub(super) fn finding(pod: &Pod, events: &[Event]) -> Option<Finding> {
    let (reason, message) = waiting(pod)?;
    let image = container(pod).map(|status| status.image.as_str()).unwrap_or_default();
    match reason {
        "InvalidImageName" => Some(Finding::Fatal(format!(
            "`{image}` is no image reference ({}): correct the worker's settings",
            quote(message)
        ))),
        "ErrImageNeverPull" => {
            Some(Finding::Fatal(format!("the node does not have {image} and is told not to pull it")))
        }
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "ImageInspectError" => {
            Some(failed_pull(image, message, events))
        }
        _ => None,
    }
}

fn failed_pull(image: &str, message: &str, events: &[Event]) -> Finding {
    // Older kubelets only say that they back off; the reason is in the event of the try before.
    let tries: Vec<_> = events.iter().filter(|event| is_failed_pull(event)).collect();
    let last = tries.iter().max_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    let said = last.and_then(|event| event.message.as_deref()).unwrap_or(message);
    let why = if holds_any(message, &REFUSALS) { message } else { said };
    let count: i32 = tries.iter().map(|event| event.count.unwrap_or(1)).sum();
    if holds_any(why, &REFUSALS) {
        return Finding::Fatal(format!(
            "the image {image} cannot be had: {}; check its name and that the nodes may pull it",
            quote(why)
        ));
    }
    if count >= MOST_TRIES {
        return Finding::Fatal(format!(
            "the image {image} could not be pulled in {count} tries: {}",
            quote(why)
        ));
    }
    Finding::Pending(format!("the image {image} could not be pulled and is tried again: {}", quote(why)))
}

fn is_failed_pull(event: &Event) -> bool {
    let said = event.message.as_deref().unwrap_or_default();
    event.reason.as_deref() == Some("Failed") && said.starts_with("Failed to pull image")
}
