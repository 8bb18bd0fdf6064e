//! Tables of what was seen and what is found. A message marked "recorded" is as a public issue or this project's cluster
//! of `../shared/kube` shows it, with names changed; the others are written after the sources of kubelet, Karpenter and
//! vLLM.

use accelbench_core::engine::profile::ProfileName;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::{EngineObservation, Finding, LoadFinding, engine, interruption, loadgen, nominated_claim};

mod engine_logs;
mod nodes;

#[expect(clippy::needless_pass_by_value, reason = "tests write the value in place")]
fn pod(status: Value) -> Pod {
    serde_json::from_value(
        json!({"metadata": {}, "spec": {"containers": [], "nodeName": "node-1"}, "status": status}),
    )
    .unwrap()
}

fn waiting(reason: &str, message: &str) -> Pod {
    container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
}

#[expect(clippy::needless_pass_by_value, reason = "tests write the value in place")]
fn container(own: Value) -> Pod {
    let mut status = json!({"name": "engine", "image": "vllm/vllm-openai:v0.33.0", "imageID": "", "ready": false, "restartCount": 0});
    status.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    pod(json!({"phase": "Pending", "containerStatuses": [status]}))
}

fn event(reason: &str, message: &str, count: i32) -> Event {
    serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {"kind": "Pod"}, "reason": reason, "message": message, "count": count,
        "lastTimestamp": "2026-11-24T16:00:00Z",
    }))
    .unwrap()
}

fn seen<'a>(pod: Option<&'a Pod>, events: &'a [Event], log_tail: &'a str) -> EngineObservation<'a> {
    let model = "meta-llama/Llama-3.1-8B";
    EngineObservation { model, profile: Some(ProfileName::VllmGpu), pod, events, node_claims: &[], log_tail }
}

#[track_caller]
fn assert_pending(finding: &Finding, part: &str) {
    assert!(matches!(finding, Finding::Pending(sentence) if sentence.contains(part)), "{part}: {finding:?}");
}

#[track_caller]
fn assert_fatal(finding: &Finding, part: &str) {
    assert!(matches!(finding, Finding::Fatal(sentence) if sentence.contains(part)), "{part}: {finding:?}");
}

#[test]
fn a_registry_that_says_no_is_not_asked_again() {
    for message in [
        // recorded: containerd 2, kubernetes-sigs/provider-aws-test-infra 281
        "rpc error: code = NotFound desc = failed to pull and unpack image \"registry.test/a:1\": failed to resolve reference \"registry.test/a:1\": registry.test/a:1: not found",
        // recorded: mattmattox/drain-node-on-crash 7
        "rpc error: code = Unknown desc = Error response from daemon: manifest for a/b:1 not found: manifest unknown: manifest unknown",
        // recorded: ../shared/kube
        "manifest unknown",
        "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
        "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        "no match for platform in manifest: not found",
    ] {
        assert_fatal(
            &engine(&seen(Some(&waiting("ErrImagePull", message)), &[], "")),
            "vllm/vllm-openai:v0.33.0",
        );
        // An older kubelet says why in an event alone.
        let backing_off = waiting("ImagePullBackOff", "Back-off pulling image \"registry.test/a:1\"");
        let failed = event("Failed", &format!("Failed to pull image \"registry.test/a:1\": {message}"), 1);
        assert_fatal(&engine(&seen(Some(&backing_off), &[failed], "")), "cannot be had");
    }
}

#[test]
fn a_registry_in_trouble_is_asked_a_few_times() {
    let message = "failed to pull and unpack image: dial tcp 10.0.0.1:443: i/o timeout";
    let failed = |count| event("Failed", &format!("Failed to pull image \"a:1\": {message}"), count);
    let pod = waiting("ErrImagePull", message);
    assert_pending(&engine(&seen(Some(&pod), &[failed(2)], "")), "i/o timeout");
    assert_fatal(&engine(&seen(Some(&pod), &[failed(2), failed(3)], "")), "in 5 tries");
}

#[test]
fn containers_that_cannot_be_made_say_why() {
    let finding = |reason, message| engine(&seen(Some(&waiting(reason, message)), &[], ""));
    assert_fatal(&finding("InvalidImageName", "couldn't parse image name"), "worker's settings");
    assert_pending(&finding("CreateContainerConfigError", "secret \"run-1-engine\" not found"), "not found");
    assert_fatal(&finding("CreateContainerConfigError", "couldn't find key hf-token in Secret"), "hf-token");
    assert_fatal(
        &finding("RunContainerError", "exec: \"vllm\": executable file not found in $PATH: unknown"),
        "set another image",
    );
    assert_pending(&finding("ContainerCreating", ""), "being started on node-1");
}

#[test]
fn an_engine_that_ends_is_started_a_few_times_unless_that_is_hopeless() {
    let ended = |restarts: i32, terminated: Value| {
        container(json!({
            "restartCount": restarts, "lastState": {"terminated": terminated},
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}},
        }))
    };
    let failed = || json!({"exitCode": 1, "reason": "Error"});
    let log = "INFO starting\nRuntimeError: the moon is full\nINFO bye\n";
    assert_pending(&engine(&seen(Some(&ended(1, failed())), &[], log)), "RuntimeError: the moon is full");
    assert_fatal(
        &engine(&seen(Some(&ended(3, failed())), &[], log)),
        "exit status 1, and 3 restarts did not help",
    );
    assert_pending(&engine(&seen(Some(&ended(1, json!({"exitCode": 139}))), &[], "")), "signal 11");
    let killed = json!({"exitCode": 137, "reason": "OOMKilled"});
    assert_fatal(&engine(&seen(Some(&ended(1, killed)), &[], log)), "more memory beside its accelerators");
    let hopeless = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 112.00 MiB.";
    assert_fatal(&engine(&seen(Some(&ended(1, failed())), &[], hopeless)), "ran out of GPU memory");
}

#[test]
fn pods_that_were_ended_from_outside_end_the_run() {
    let evicted = pod(json!({
        "phase": "Failed", "reason": "Evicted",
        "message": "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 12Ki.",
    }));
    assert_fatal(&engine(&seen(Some(&evicted), &[], "")), "filled its disk");
    let disrupted = pod(json!({"phase": "Running", "conditions": [{
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
    }]}));
    assert_fatal(&engine(&seen(Some(&disrupted), &[], "")), "EvictionByEvictionAPI");
    let mut deleted = container(json!({"state": {"running": {}}}));
    deleted.metadata.deletion_timestamp = Some(at("2026-11-24T16:00:00Z"));
    assert_fatal(&engine(&seen(Some(&deleted), &[], "")), "deleted from outside");
}

fn at(text: &str) -> Time {
    serde_json::from_value(json!(text)).unwrap()
}

#[test]
fn an_engine_that_began_anew_is_not_the_one_that_was_measured() {
    let began = |at: &str, restarts: i32| {
        let last = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
        let state = json!({"running": {"startedAt": at}});
        container(
            json!({"restartCount": restarts, "state": state, "lastState": if restarts > 0 { last } else { json!({}) }}),
        )
    };
    let interruption =
        |pod: &Pod| interruption(&seen(Some(pod), &[], "RuntimeError: bad"), &at("2026-11-24T16:00:00Z"));
    assert_eq!(interruption(&began("2026-11-24T15:50:00Z", 0)), None);
    // It failed once before it was ready; what was measured is the second start.
    assert_eq!(interruption(&began("2026-11-24T15:59:00Z", 1)), None);
    let why = interruption(&began("2026-11-24T16:10:00Z", 1)).unwrap();
    assert!(why.contains("exit status 1") && why.contains("RuntimeError: bad"), "{why}");
    assert!(super::interruption(&seen(None, &[], ""), &at("2026-11-24T16:00:00Z")).unwrap().contains("gone"));
}

#[test]
fn load_generators_are_followed_to_their_end() {
    let job = |conditions: Value| -> Job {
        serde_json::from_value(json!({"metadata": {}, "status": {"conditions": conditions}})).unwrap()
    };
    let failed = json!([{
        "type": "Failed", "status": "True", "reason": "DeadlineExceeded",
        "message": "Job was active longer than specified deadline",
    }]);
    let exited =
        |code: i32| container(json!({"state": {"terminated": {"exitCode": code, "reason": "Error"}}}));
    let running = container(json!({"state": {"running": {}}}));
    let mut pending = pod(json!({"phase": "Pending"}));
    pending.spec.as_mut().unwrap().node_name = None;
    let no_node = [event("FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu.", 1)];
    let refused = waiting("ErrImagePull", "manifest unknown");
    let complete = json!([{"type": "Complete", "status": "True"}]);
    for (conditions, pod, events, is, part) in [
        (json!([]), None, &[] as &[Event], "Pending", "being made"),
        (json!([]), Some(&pending), &no_node, "Pending", "2 Insufficient cpu"),
        (json!([]), Some(&running), &[], "Running", ""),
        (json!([]), Some(&exited(3)), &[], "Ended", "exit status 3; its last words: error: no plan"),
        (json!([]), Some(&exited(137)), &[], "Ended", "signal 9"),
        (json!([]), Some(&refused), &[], "Ended", "never began"),
        (failed, None, &[], "Ended", "longer than specified deadline"),
        (complete, None, &[], "Ended", "exit status 0"),
    ] {
        let finding = loadgen(&job(conditions), pod, events, "hello\nerror: no plan\n");
        let text = format!("{finding:?}");
        assert!(text.starts_with(is) && text.contains(part), "{part}: {text}");
        assert_eq!(finding == LoadFinding::Running, is == "Running");
    }
}
