//! How the load generator's Job is doing.

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{Event, Pod};

use super::evidence::{last_words, quote};
use super::pod::{container, ended, node_name, termination, waiting};
use super::scheduling::newest;
use super::{Finding, image};

/// How a load generator is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadFinding {
    /// It has not begun; the sentence says what it waits for.
    Pending(String),
    /// It works.
    Running,
    /// It ended, or will never begin; the sentence says how, with its last words.
    Ended(String),
}

/// How the load generator is doing, by its Job, the Job's pod, their events and the end of its log.
#[must_use]
pub fn loadgen(job: &Job, pod: Option<&Pod>, events: &[Event], log_tail: &str) -> LoadFinding {
    let words = last_words(log_tail);
    if let Some(how) = pod.and_then(how_it_ended) {
        return LoadFinding::Ended(format!("the load generator {how}; {words}"));
    }
    if let Some(condition) = final_condition(job) {
        let said = quote(condition.message.as_deref().unwrap_or_default());
        return LoadFinding::Ended(match condition.type_.as_str() {
            "Complete" => format!("the load generator ended with exit status 0; {words}"),
            _ => format!("the load generator's Job failed ({said}); {words}"),
        });
    }
    let Some(pod) = pod else {
        return LoadFinding::Pending(newest(events, &["FailedCreate"]).map_or_else(
            || "the load generator's pod is being made".to_owned(),
            |message| format!("the load generator's pod cannot be made yet: {}", quote(message)),
        ));
    };
    match image::finding(pod, events) {
        Some(Finding::Fatal(why)) => LoadFinding::Ended(format!("the load generator never began: {why}")),
        Some(Finding::Pending(why)) => LoadFinding::Pending(why),
        None if is_running(pod) => LoadFinding::Running,
        None => LoadFinding::Pending(waits_for(pod, events)),
    }
}

fn how_it_ended(pod: &Pod) -> Option<String> {
    if let Some(terminated) = container(pod).and_then(termination).and_then(|state| state.terminated.as_ref())
    {
        let code = terminated.exit_code;
        return Some(match terminated.reason.as_deref() {
            Some("OOMKilled") => {
                "ran out of memory (OOMKilled): raise loadgen_host in the worker's settings".to_owned()
            }
            _ if code > 128 => format!("was ended by signal {}", code - 128),
            _ => format!("ended with exit status {code}"),
        });
    }
    ended(pod).map(|how| format!("was interrupted: {how}"))
}

fn final_condition(job: &Job) -> Option<&JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let is_final = |condition: &&JobCondition| {
        condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
    };
    conditions.iter().find(is_final)
}

fn is_running(pod: &Pod) -> bool {
    container(pod).and_then(|status| status.state.as_ref()).is_some_and(|state| state.running.is_some())
}

fn waits_for(pod: &Pod, events: &[Event]) -> String {
    let Some(node) = node_name(pod) else {
        return newest(events, &["FailedScheduling"]).map_or_else(
            || "the load generator waits for a node".to_owned(),
            |message| format!("no node fits the load generator yet ({})", quote(message)),
        );
    };
    match waiting(pod) {
        Some((reason, message)) if !message.is_empty() => {
            format!("the load generator is being started on {node} ({reason}: {})", quote(message))
        }
        _ => format!("the load generator is being started on {node}"),
    }
}
