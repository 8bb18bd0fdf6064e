//! What goes wrong on a cluster, and what becomes of the run: one verdict with a reason, at most one set of results, and
//! nothing left. Each test writes a line of the fault matrix.

use std::time::{Duration, Instant};

use accelbench_core::run::{Run, Verdict};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Scene, print_line};

/// Writes a line of the matrix.
fn line(fault: &str, run: &Run, took: Duration) {
    let verdict = run.phase.verdict();
    let reason = verdict.and_then(Verdict::reason).unwrap_or("-");
    let verdict = verdict.map_or("none", Verdict::as_str);
    print_line(&format!("MATRIX | {fault} | {verdict} | {:.1} s | {reason}", took.as_secs_f64()));
}

/// A fault after which the run succeeds all the same.
pub(super) async fn survived(scene: &Scene, fault: &str, run_id: &str, since: Instant) {
    let run = scene.finish(run_id).await;
    line(fault, &run, since.elapsed());
    assert_eq!(
        run.phase.verdict(),
        Some(&Verdict::Succeeded),
        "{fault}: {:#?}",
        scene.installation.events(run_id).await
    );
    assert_eq!(scene.installation.results(run_id).await.unwrap().len(), 2, "{fault}");
}

/// A fault that ends the run, with `words` in the reason, well before its time-out.
async fn ended(scene: &Scene, fault: &str, run_id: &str, since: Instant, words: &str) {
    let run = scene.finish(run_id).await;
    line(fault, &run, since.elapsed());
    let events = scene.installation.events(run_id).await.unwrap();
    assert!(matches!(run.phase.verdict(), Some(Verdict::Failed { .. })), "{fault}: {events:#?}");
    let reason = scene.failure(run_id).await;
    assert!(reason.contains(words), "{fault}: {reason}");
    assert!(since.elapsed() < Duration::from_mins(2), "{fault}: {:?}", since.elapsed());
}

async fn worker_killed_in(phase: &str) {
    let mut scene = Scene::new(json!({})).await;
    let worker = scene.start_worker();
    let run_id = scene.submit().await;
    scene.installation.reach(&run_id, phase).await.unwrap();
    kill(worker, Signal::SIGKILL).unwrap();
    let since = Instant::now();
    scene.start_worker();
    survived(&scene, &format!("worker killed while {phase}"), &run_id, since).await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_worker_killed_while_deploying_is_replaced() {
    worker_killed_in("deploying").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_worker_killed_while_awaiting_readiness_is_replaced() {
    worker_killed_in("awaiting_ready").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_worker_killed_while_loading_is_replaced() {
    worker_killed_in("loading").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_worker_killed_while_recording_is_replaced() {
    worker_killed_in("recording").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_worker_killed_while_tearing_down_is_replaced() {
    worker_killed_in("tearing_down").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_worker_that_slept_through_its_lease_changes_nothing() {
    let mut scene = Scene::new(json!({})).await;
    let sleeper = scene.start_worker();
    let run_id = scene.submit().await;
    scene.installation.reach(&run_id, "loading").await.unwrap();
    kill(sleeper, Signal::SIGSTOP).unwrap();
    let since = Instant::now();
    scene.start_worker();
    survived(&scene, "worker paused while loading", &run_id, since).await;
    kill(sleeper, Signal::SIGCONT).unwrap();
    // It wakes into a world without its run.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.cluster.objects(Some(&run_id)).unwrap(), Vec::<String>::new());
    assert_eq!(scene.installation.results(&run_id).await.unwrap().len(), 2);
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_cancelled_run_leaves_nothing() {
    let mut scene = Scene::new(json!({})).await;
    scene.start_worker();
    let run_id = scene.submit().await;
    scene.installation.reach(&run_id, "loading").await.unwrap();
    let since = Instant::now();
    scene.installation.post(&format!("/api/v1/runs/{run_id}/cancel"), &json!({})).await.unwrap();
    let run = scene.finish(&run_id).await;
    line("cancelled while loading", &run, since.elapsed());
    assert_eq!(run.phase.verdict(), Some(&Verdict::Cancelled));
    assert_eq!(scene.installation.results(&run_id).await.unwrap(), Vec::<Value>::new());
}

/// A run whose image is one of those that do not work.
async fn with_image(image: &str, fault: &str, words: &str) {
    let mut scene = Scene::new(json!({"simulator_image": image})).await;
    scene.start_worker();
    let run_id = scene.submit().await;
    let since = Instant::now();
    ended(&scene, fault, &run_id, since, words).await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_missing_image_ends_the_run() {
    with_image("registry.test/missing:1", "image missing", "manifest unknown").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_engine_that_crashes_again_and_again_ends_the_run() {
    with_image("registry.test/crashing:1", "engine crash loop", "restarts did not help").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_engine_that_starts_at_the_second_try_is_measured() {
    let Some(mended) = std::env::var_os("ACCELBENCH_CLUSTER_MENDED") else { return print_line("LEFT OUT") };
    let mut scene = Scene::new(json!({"simulator_image": "registry.test/stumbling:1"})).await;
    scene.start_worker();
    let run_id = scene.submit().await;
    let since = Instant::now();
    let has_ended = async || {
        let events = scene.installation.events(&run_id).await?;
        Ok(events.iter().any(|event| event.message.contains("is started again")))
    };
    scene.installation.until("the engine's first end", has_ended).await.unwrap();
    std::fs::write(mended, "").unwrap();
    survived(&scene, "engine ended once at its start", &run_id, since).await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_engine_that_outgrows_its_host_ends_the_run() {
    with_image("registry.test/greedy:1", "engine OOMKilled", "OOMKilled").await;
}

/// A run that loads long enough for something to happen to it.
fn long() -> Value {
    let mut request = super::on_cluster();
    request["measurement"] = json!({"min_duration_s": 20.0, "min_requests": 5});
    request
}

/// Something is deleted from outside while the run loads.
async fn deleted_while_loading(what: &[&str], fault: &str, words: &str) {
    let mut scene = Scene::new(json!({})).await;
    scene.start_worker();
    let run_id = scene.installation.submit(&long()).await.unwrap();
    scene.installation.reach(&run_id, "loading").await.unwrap();
    scene.started(&run_id, "loadgen").await;
    let what: Vec<String> = what.iter().map(|part| part.replace("RUN", &run_id)).collect();
    let since = Instant::now();
    scene.cluster.in_runs(&what.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    ended(&scene, fault, &run_id, since, words).await;
}

const OF_ENGINE: &str = "accelbench.dev/run-id=RUN,app.kubernetes.io/component=engine";
const OF_LOADGEN: &str = "accelbench.dev/run-id=RUN,app.kubernetes.io/component=loadgen";

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_engine_deleted_while_loading_ends_the_run() {
    let what = ["delete", "pod", "--wait=false", "--grace-period=1", "-l", OF_ENGINE];
    deleted_while_loading(&what, "engine's pod deleted", "run it again").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_engine_evicted_while_loading_ends_the_run() {
    let mut scene = Scene::new(json!({})).await;
    scene.start_worker();
    let run_id = scene.installation.submit(&long()).await.unwrap();
    scene.installation.reach(&run_id, "loading").await.unwrap();
    let name =
        ["get", "pods", "-l", &OF_ENGINE.replace("RUN", &run_id), "-o", "jsonpath={.items[0].metadata.name}"];
    let pod = scene.cluster.in_runs(&name).unwrap();
    let since = Instant::now();
    scene.cluster.evict(&pod).unwrap();
    ended(&scene, "engine's pod evicted", &run_id, since, "run it again").await;
}

/// The server is away just when the reports are due: the load generator in the cluster sends them again.
#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn reports_that_find_no_server_are_sent_again() {
    let mut scene = Scene::new(json!({})).await;
    scene.start_worker();
    let run_id = scene.submit().await;
    scene.installation.reach(&run_id, "loading").await.unwrap();
    let server = scene.installation.server();
    kill(server, Signal::SIGSTOP).unwrap();
    let since = Instant::now();
    // Longer than the load, and than the load generator waits for one answer.
    sleep(Duration::from_secs(35)).await;
    kill(server, Signal::SIGCONT).unwrap();
    survived(&scene, "our server away 35 s while loading", &run_id, since).await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_load_generator_deleted_while_loading_ends_the_run() {
    let what = ["delete", "pod", "--wait=false", "--grace-period=1", "-l", OF_LOADGEN];
    deleted_while_loading(&what, "load generator's pod deleted", "load generator").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_lease_deleted_while_loading_ends_the_run() {
    let what = ["delete", "lease", "--wait=false", "run-RUN"];
    deleted_while_loading(&what, "Lease deleted", "").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn an_engine_that_never_becomes_ready_ends_with_the_run_s_time() {
    let mut scene = Scene::new(json!({"simulator_image": "registry.test/silent:1"})).await;
    scene.start_worker();
    let mut request = super::on_cluster();
    request["timeout_s"] = 60.into();
    let run_id = scene.installation.submit(&request).await.unwrap();
    let since = Instant::now();
    ended(&scene, "engine never ready", &run_id, since, "time limit of 60 s").await;
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn the_reaper_ends_what_nobody_looks_after() {
    let mut scene = Scene::new(json!({})).await;
    let worker = scene.start_worker();
    let run_id = scene.submit().await;
    scene.installation.reach(&run_id, "loading").await.unwrap();
    kill(worker, Signal::SIGKILL).unwrap();
    let lease = format!("run-{run_id}");
    assert_eq!(scene.reap().unwrap(), 0, "a run in time is left alone");
    let late = ["annotate", "--overwrite", "lease", &lease, "accelbench.dev/deadline=2026-01-01T00:00:00Z"];
    scene.cluster.in_runs(&late).unwrap();
    let since = Instant::now();
    assert_eq!(scene.reap().unwrap(), 1);
    let gone = async || Ok(scene.cluster.objects(Some(&run_id))?.is_empty());
    scene.installation.until("the reaper has removed all of the run", gone).await.unwrap();
    let took = since.elapsed().as_secs_f64();
    print_line(&format!("MATRIX | reaped, all else down | - | {took:.1} s | -"));
    // A worker that comes back finds nothing and says so.
    scene.start_worker();
    assert!(scene.failure(&run_id).await.contains("Lease"), "{:#?}", scene.installation.run(&run_id).await);
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn what_belongs_to_no_run_is_removed() {
    let mut scene = Scene::new(json!({})).await;
    let orphan = accelbench_core::run::RunId::new();
    scene.cluster.make_lease(&orphan.to_string()).unwrap();
    assert_eq!(scene.cluster.objects(None).unwrap().len(), 1);
    scene.start_worker();
    let gone = async || Ok(scene.cluster.objects(None)?.is_empty());
    scene.installation.until("the orphan is removed", gone).await.unwrap();
}
