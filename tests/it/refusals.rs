//! Every call to a platform fails in turn, in every way: each run ends with one set of results or one reason, and
//! nothing of it is left.

use std::sync::Arc;

use accelbench_core::run::{Run, Verdict};
use accelbench_store::capacity;
use accelbench_tests::cluster::WorkerCluster;
use accelbench_tests::faults::{Call, Fault, Faults, FaultyPlatform};
use accelbench_tests::installation::{Installation, request};
use accelbench_worker::platform::PlatformError;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What must come of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeded,
    FailedWith(&'static str),
    /// Its teardown keeps failing: a person is asked.
    Parked,
}

const ALWAYS: Option<u32> = None;

fn fault(error: fn(String) -> PlatformError, times: Option<u32>) -> Fault {
    Fault { error, times, after: false }
}

/// Each case: the call, how it fails, and what must come of the run.
fn cases() -> Vec<(Call, Fault, End)> {
    use PlatformError::{Failed, Refused, Unreachable};
    let mut cases = Vec::new();
    for call in [Call::Deploy, Call::Readiness, Call::StartLoad, Call::LoadState] {
        cases.push((call, fault(Refused, ALWAYS), End::FailedWith("the test lets")));
    }
    for call in [Call::Deploy, Call::Readiness, Call::PrepareLoad, Call::StartLoad, Call::LoadState] {
        cases.extend([
            (call, fault(Failed, Some(1)), End::Succeeded),
            // Done, but the answer is lost: doing it again must not do it twice.
            (call, Fault { after: true, ..fault(Failed, Some(1)) }, End::Succeeded),
            (call, fault(Unreachable, Some(1)), End::Succeeded),
        ]);
    }
    for call in [Call::Deploy, Call::Readiness, Call::StartLoad] {
        cases.push((call, fault(Failed, ALWAYS), End::FailedWith("failed 6 times: the test lets")));
    }
    cases.extend([
        // The load generator that nobody can see for a while goes on all the same.
        (Call::LoadState, fault(Failed, Some(4)), End::Succeeded),
        (Call::Teardown, fault(Failed, ALWAYS), End::Parked),
        (Call::Teardown, fault(Refused, ALWAYS), End::Parked),
        (Call::Teardown, fault(Failed, Some(1)), End::Succeeded),
        (Call::Teardown, fault(Unreachable, Some(1)), End::Succeeded),
        (Call::Logs, fault(Failed, ALWAYS), End::Succeeded),
        (Call::Forget, fault(Failed, Some(1)), End::Succeeded),
    ]);
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_call_ends_in_a_clean_slate_and_a_reason() {
    let installation = Installation::start().await.unwrap();
    conform(&installation, None, &request("simulator")).await;
    assert_eq!(installation.run_processes().unwrap(), Vec::<i32>::new(), "processes of a run are left");
}

/// What every platform must keep to: `request` is for a run on it, and `cluster` is for workers that need one. Nothing of
/// any run may be left on it afterwards, which is the caller's to check.
pub(crate) async fn conform(installation: &Installation, cluster: Option<&WorkerCluster>, request: &Value) {
    let pool = &installation.database.pool;
    capacity::set_limit(&mut pool.acquire().await.unwrap(), "*", 8).await.unwrap();
    capacity::set_limit(&mut pool.acquire().await.unwrap(), "local", 8).await.unwrap();
    let faults = Faults::default();
    let (worker, options) = installation.worker_in_process(cluster).await.unwrap();
    let worker = worker.with_platforms(|inner| Arc::new(FaultyPlatform { inner, faults: faults.clone() }));
    installation.offer_simulator().await.unwrap();
    let mut submitted = Vec::new();
    for case in cases() {
        let run_id = installation.submit(request).await.unwrap();
        for call in failing_with(case) {
            faults.set(run_id.parse().unwrap(), call, case.1);
        }
        submitted.push((run_id, case));
    }
    let stop = CancellationToken::new();
    let working = tokio::spawn(accelbench_worker::run(worker, options, stop.clone().cancelled_owned()));

    let checks = submitted.iter().map(|(run_id, case)| check(installation, &faults, run_id, *case));
    join_all(checks).await;
    // A folder that could not be removed at the run's end is the reaper's.
    installation
        .until("no folder is left", async || Ok(installation.run_folders()?.is_empty()))
        .await
        .unwrap();
    stop.cancel();
    working.await.unwrap().unwrap();
}

/// What fails in a case: a load generator that is never started is not started early either.
fn failing_with((call, fault, _): (Call, Fault, End)) -> Vec<Call> {
    match call {
        Call::StartLoad if fault.times == ALWAYS => vec![Call::PrepareLoad, Call::StartLoad],
        call => vec![call],
    }
}

async fn check(
    installation: &Installation,
    faults: &Faults,
    run_id: &str,
    (call, fault, expected): (Call, Fault, End),
) {
    let run = settled(installation, run_id).await;
    let events = installation.events(run_id).await.unwrap();
    assert_eq!(end_of(&run, expected), expected, "{call:?} {fault:?}: {events:#?}");
    if expected == End::Parked {
        assert!(run.parked_reason.as_deref().unwrap().contains("the test lets Teardown fail"), "{run:?}");
        faults.clear(run.id);
        let requeue = format!("/api/v1/runs/{run_id}/requeue");
        let (status, answer) = installation.post(&requeue, &json!({})).await.unwrap();
        assert!(status.is_success(), "{answer}");
    }
    let run = installation.finish(run_id).await.unwrap();
    let succeeded = run.phase.verdict() == Some(&Verdict::Succeeded);
    let results = installation.results(run_id).await.unwrap();
    assert_eq!(results.len(), if succeeded { 2 } else { 0 }, "{call:?} {fault:?}");
}

/// The run once nobody works on it any more.
async fn settled(installation: &Installation, run_id: &str) -> Run {
    let done = async || {
        let run = installation.run(run_id).await?;
        Ok(run.phase.is_finished() || run.parked_reason.is_some())
    };
    installation.until("the run is finished or parked", done).await.unwrap();
    installation.run(run_id).await.unwrap()
}

/// How the run ended, in the words of `expected` where its reason contains them.
fn end_of(run: &Run, expected: End) -> End {
    match (run.phase.verdict(), expected) {
        _ if run.parked_reason.is_some() => End::Parked,
        (Some(Verdict::Succeeded), _) => End::Succeeded,
        (Some(Verdict::Failed { reason }), End::FailedWith(words)) if reason.contains(words) => expected,
        _ => End::FailedWith("another reason than expected"),
    }
}
