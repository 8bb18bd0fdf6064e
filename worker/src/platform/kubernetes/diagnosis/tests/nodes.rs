//! What is read off the scheduler, Karpenter and its node claims.

use serde_json::{Value, json};

use super::{Event, Finding, assert_fatal, assert_pending, event, nominated_claim, pod, seen};
use crate::platform::kubernetes::diagnosis::engine;

fn unscheduled(node_claims: &[Value], events: &[Event]) -> Finding {
    let mut pod = pod(json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    }]}));
    pod.spec.as_mut().unwrap().node_name = None;
    engine(&super::EngineObservation { node_claims, ..seen(Some(&pod), events, "") })
}

/// A claim with conditions: type, status, reason, message.
fn claim(conditions: &[(&str, &str, &str, &str)]) -> Value {
    let condition = |&(type_, status, reason, message): &(&str, &str, &str, &str)| json!({"type": type_, "status": status, "reason": reason, "message": message});
    json!({
        "metadata": {"name": "gpu-4xk2p"},
        "status": {"conditions": conditions.iter().map(condition).collect::<Vec<_>>()},
    })
}

#[test]
fn a_node_on_its_way_is_followed() {
    let yes = |type_| (type_, "True", type_, "");
    let unknown = ("Launched", "Unknown", "AwaitingReconciliation", "object is awaiting reconciliation");
    for (conditions, part) in [
        (vec![], "gpu-4xk2p is being launched"),
        (vec![unknown], "gpu-4xk2p is being launched"),
        (
            vec![
                yes("Launched"),
                ("Registered", "Unknown", "NodeNotFound", "Node not registered with cluster"),
            ],
            "was launched",
        ),
        (vec![yes("Launched"), yes("Registered")], "accelerators are not offered yet"),
        (vec![yes("Launched"), yes("Registered"), yes("Initialized")], "takes the pod"),
    ] {
        assert_pending(&unscheduled(&[claim(&conditions)], &[]), part);
    }
}

/// recorded: kubernetes-sigs/karpenter 2275
const NO_CAPACITY: &str = "creating instance, insufficient capacity, with fleet error(s), InsufficientInstanceCapacity: We currently do not have sufficient g4dn.xlarge capacity in the Availability Zone you requested (eu-west-3b). Our system will be working on provisioning additional capacity. You can currently get g4dn.xlarge capacity by not specifying an Availability Zone in your request or choosing eu-west-3a, eu-west-3c.; InsufficientInstanceCapacity: We currently do not have sufficient g4dn.xlarge capacity in the Availability Zone you requested (eu-west-3a). Our system will be working on provisioning additional capacity.";

#[test]
fn missing_capacity_is_told_with_its_zones_and_waited_for() {
    let failed = claim(&[("Launched", "Unknown", "LaunchFailed", NO_CAPACITY)]);
    assert_pending(&unscheduled(&[failed], &[]), "no capacity in eu-west-3b, eu-west-3a now");
    // The claim is gone; its event is left.
    let told = event("InsufficientCapacityError", &format!("NodeClaim gpu-4xk2p event: {NO_CAPACITY}"), 1);
    assert_pending(&unscheduled(&[], &[told]), "no capacity in eu-west-3b, eu-west-3a now");
    // recorded: ../shared/kube
    let simulated = claim(&[("Launched", "False", "InsufficientCapacity", "InsufficientCapacity")]);
    assert_pending(&unscheduled(&[simulated], &[]), "AWS has no capacity now");
}

#[test]
fn what_only_a_person_can_change_is_fatal() {
    for (message, part) in [
        (
            "creating instance, with fleet error(s), VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to.",
            "higher quota",
        ),
        (
            "creating instance, with fleet error(s), UnauthorizedOperation: You are not authorized to perform this operation.",
            "Karpenter's AWS role",
        ),
    ] {
        assert_fatal(&unscheduled(&[claim(&[("Launched", "Unknown", "LaunchFailed", message)])], &[]), part);
    }
    let busy =
        "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 192 allows";
    assert_pending(
        &unscheduled(&[claim(&[("Launched", "Unknown", "LaunchFailed", busy)])], &[]),
        "limit of 192",
    );
}

#[test]
fn pods_without_a_node_say_what_they_wait_for() {
    let scheduler = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    let incompatible = "Failed to schedule pod, incompatible with nodepool \"gpu\", daemonset overhead={\"cpu\":\"150m\"}, no instance type satisfied resources {\"nvidia.com/gpu\":\"8\"} and requirements node.kubernetes.io/instance-type In [p5.48xlarge]";
    // recorded: aws/karpenter-provider-aws 5578
    let nominated = "Pod should schedule on: nodeclaim/default-uswest2aprod-mf7bc";
    for (events, part) in [
        (vec![], "3 Insufficient nvidia.com/gpu"),
        (vec![event("FailedScheduling", scheduler, 1)], "no node fits yet"),
        (vec![event("FailedScheduling", incompatible, 1)], "no node pool offers such a node now"),
        (
            vec![event(
                "FailedScheduling",
                "all available instance types exceed limits for nodepool: \"gpu\"",
                1,
            )],
            "limit is reached",
        ),
        (vec![event("Nominated", nominated, 1)], "Karpenter has a node in hand"),
    ] {
        assert_pending(&unscheduled(&[], &events), part);
    }
    assert_eq!(nominated_claim(&[event("Nominated", nominated, 1)]), Some("default-uswest2aprod-mf7bc"));
}

#[test]
fn a_cluster_that_lets_no_pod_be_made_says_so() {
    let finding = |message| engine(&seen(None, &[event("FailedCreate", message, 1)], ""));
    assert_pending(&engine(&seen(None, &[], "")), "being made");
    assert_pending(&finding("Error creating: pods \"a\" is forbidden: exceeded quota: gpus"), "quota");
    assert_fatal(
        &finding("Error creating: pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\""),
        "deploy/kubernetes",
    );
    assert_fatal(
        &finding(
            "Error creating: pods \"a\" is forbidden: error looking up service account a/b: serviceaccount \"b\" not found",
        ),
        "deploy/kubernetes",
    );
    assert_pending(
        &finding("Error creating: Internal error occurred: failed calling webhook"),
        "cannot be made yet",
    );
}

#[test]
fn an_image_that_is_being_pulled_is_no_silence() {
    let pod = pod(json!({"phase": "Pending"}));
    let pulling = event("Pulling", "Pulling image \"vllm/vllm-openai:v0.33.0\"", 1);
    assert_pending(&engine(&seen(Some(&pod), &[pulling], "")), "node-1 pulls the image");
    let stuck = event("FailedCreatePodSandBox", "failed to set up sandbox: no IP addresses available", 1);
    assert_pending(&engine(&seen(Some(&pod), &[stuck], "")), "no IP addresses available");
}
