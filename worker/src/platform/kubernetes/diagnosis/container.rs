//! An engine's container: whether it starts, how it ended, and whether starting it again can help.

use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::evidence::{holds_any, last_words, quote};
use super::pod::{container, termination, waiting};
use super::{EngineObservation, Finding, MOST_RESTARTS, engine_log};

/// What is wrong with a container, or how far it is; nothing where none was made yet.
pub(super) fn finding(pod: &Pod, seen: &EngineObservation<'_>) -> Option<Finding> {
    let status = container(pod)?;
    if let Some(problem) = waiting(pod).and_then(|(reason, message)| never_started(reason, message)) {
        return Some(problem);
    }
    let ended = termination(status).and_then(|state| state.terminated.as_ref());
    let runs = status.state.as_ref().is_some_and(|state| state.running.is_some());
    match ended {
        Some(ended) => Some(after_an_end(status, ended, seen)),
        // The log of an engine that is about to end says so before its container does.
        None if runs => Some(engine_log::cause(seen).map_or_else(|| running(seen), Finding::Fatal)),
        None => None,
    }
}

/// Why a container that served does not any more, or is another one.
pub(super) fn interruption(pod: &Pod, seen: &EngineObservation<'_>, served_at: &Time) -> Option<String> {
    let status = container(pod)?;
    let running = status.state.as_ref().and_then(|state| state.running.as_ref());
    let is_the_same = |started: &Time| started.0 <= served_at.0;
    if running.and_then(|running| running.started_at.as_ref()).is_some_and(is_the_same) {
        return None;
    }
    let how = termination(status)
        .and_then(|state| state.terminated.as_ref())
        .map_or_else(|| "began anew".to_owned(), how);
    Some(format!("the engine {how}; {}", explained(seen)))
}

fn never_started(reason: &str, message: &str) -> Option<Finding> {
    let said = quote(message);
    match reason {
        // A secret that was applied a moment ago may not have reached the node yet.
        "CreateContainerConfigError" if !message.contains("couldn't find key") => {
            Some(Finding::Pending(format!("the container cannot be made yet: {said}")))
        }
        "CreateContainerConfigError" => Some(Finding::Fatal(format!("the container cannot be made: {said}"))),
        "CreateContainerError" | "RunContainerError" | "StartError"
            if holds_any(message, &["executable file not found", "no such file or directory"]) =>
        {
            Some(Finding::Fatal(format!(
                "the image does not hold the program that its profile starts: {said}; set another image"
            )))
        }
        "CreateContainerError" | "RunContainerError" => {
            Some(Finding::Pending(format!("the container cannot be started yet: {said}")))
        }
        _ => None,
    }
}

fn after_an_end(
    status: &ContainerStatus,
    ended: &ContainerStateTerminated,
    seen: &EngineObservation<'_>,
) -> Finding {
    if ended.reason.as_deref() == Some("OOMKilled") {
        return Finding::Fatal(format!("the engine {}", out_of_host_memory()));
    }
    if let Some(cause) = engine_log::cause(seen) {
        return Finding::Fatal(cause);
    }
    let (restarts, words) = (status.restart_count, last_words(seen.log_tail));
    if restarts >= MOST_RESTARTS {
        return Finding::Fatal(format!(
            "the engine {}, and {restarts} restarts did not help; {words}",
            how(ended)
        ));
    }
    Finding::Pending(format!(
        "the engine {} and is started again (restart {restarts} of at most {MOST_RESTARTS}); {words}",
        how(ended)
    ))
}

/// Why the engine ended, as its log explains it.
fn explained(seen: &EngineObservation<'_>) -> String {
    engine_log::cause(seen).unwrap_or_else(|| last_words(seen.log_tail))
}

fn how(ended: &ContainerStateTerminated) -> String {
    match (ended.reason.as_deref(), ended.signal, ended.exit_code) {
        (Some("OOMKilled"), _, _) => out_of_host_memory(),
        (_, Some(signal), _) if signal > 0 => format!("was ended by signal {signal}"),
        (_, _, code) if code > 128 => format!("was ended by signal {}", code - 128),
        (_, _, code) => format!("ended with exit status {code}"),
    }
}

fn out_of_host_memory() -> String {
    "ran out of its host's memory (OOMKilled): choose an instance type with more memory beside its accelerators"
        .to_owned()
}

fn running(seen: &EngineObservation<'_>) -> Finding {
    Finding::Pending(engine_log::progress(seen))
}
