//! Karpenter's node claims: how far a node is, and where AWS has none. They are read as JSON, since their type is not
//! ours; only `status.conditions` of `karpenter.sh/v1` is looked at.

use k8s_openapi::api::core::v1::Event;
use serde_json::Value;

use super::Finding;
use super::evidence::{holds_any, quote};
use super::scheduling::newest;

/// What AWS says when it has no machine of that type; Karpenter's own words for it, too.
const NO_CAPACITY: [&str; 4] = [
    "insufficientinstancecapacity",
    "insufficientcapacity",
    "insufficient capacity",
    "unfulfillablecapacity",
];

/// What is known of the node that a pod waits for, if anything is.
pub(super) fn finding(claims: &[Value], events: &[Event]) -> Option<Finding> {
    // Karpenter deletes a claim for which there is no capacity at once; its event stays.
    let failure = claims.iter().find_map(launch_failure).map(str::to_owned).or_else(|| {
        let no_claim_left = claims.iter().all(|claim| condition(claim, "Launched").is_none());
        newest(events, &["InsufficientCapacityError"]).filter(|_| no_claim_left).map(str::to_owned)
    });
    match failure {
        Some(message) => Some(not_launched(&message)),
        None => {
            claims.iter().map(stage).max_by_key(|(rank, _)| *rank).map(|(_, words)| Finding::Pending(words))
        }
    }
}

fn condition<'a>(claim: &'a Value, type_: &str) -> Option<&'a Value> {
    claim["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == type_)
}

fn is_true(claim: &Value, type_: &str) -> bool {
    condition(claim, type_).is_some_and(|condition| condition["status"] == "True")
}

/// What is said of a claim that could not be launched.
fn launch_failure(claim: &Value) -> Option<&str> {
    let launched = condition(claim, "Launched").filter(|condition| condition["status"] != "True")?;
    let (reason, message) = (launched["reason"].as_str()?, launched["message"].as_str().unwrap_or_default());
    // Before the first try, Karpenter awaits itself.
    (reason != "AwaitingReconciliation").then_some(if message.is_empty() { reason } else { message })
}

fn not_launched(message: &str) -> Finding {
    let said = quote(message);
    if holds_any(message, &NO_CAPACITY) {
        let zones = zones(message);
        let place = if zones.is_empty() { String::new() } else { format!(" in {}", zones.join(", ")) };
        return Finding::Pending(format!("AWS has no capacity{place} now; Karpenter tries on ({said})"));
    }
    if holds_any(message, &["vcpulimitexceeded"]) && holds_any(message, &["limit of 0 "]) {
        return Finding::Fatal(format!(
            "the AWS account may start no such instance: ask for a higher quota of its family ({said})"
        ));
    }
    if holds_any(message, &["unauthorizedoperation", "not authorized to perform"]) {
        return Finding::Fatal(format!(
            "Karpenter's AWS role may not start the instance: correct it ({said})"
        ));
    }
    Finding::Pending(format!("the node cannot be launched yet ({said})"))
}

/// The zones that were asked: those in parentheses; others are only advice.
fn zones(message: &str) -> Vec<&str> {
    let asked = message.split("Availability Zone you requested (").skip(1);
    let mut zones: Vec<&str> = asked.filter_map(|rest| rest.split(')').next()).collect();
    zones.dedup();
    zones
}

fn stage(claim: &Value) -> (u8, String) {
    let name = claim["metadata"]["name"].as_str().unwrap_or("the node");
    if is_true(claim, "Initialized") {
        (3, format!("node {name} is ready and takes the pod"))
    } else if is_true(claim, "Registered") {
        (2, format!("node {name} has joined; its accelerators are not offered yet"))
    } else if is_true(claim, "Launched") {
        (1, format!("node {name} was launched and starts"))
    } else {
        (0, format!("node {name} is being launched"))
    }
}
