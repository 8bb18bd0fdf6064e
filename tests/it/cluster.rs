//! Runs on a real API server. They need a cluster: `make test-cluster` says how.

use std::process::Command;

use accelbench_core::run::{Run, Verdict};
use accelbench_store::platforms;
use accelbench_tests::cluster::{TestCluster, WorkerCluster};
use accelbench_tests::installation::{Installation, request};
use serde_json::{Value, json};

mod conformance;
mod crowd;
mod doctor;
mod faults;
mod nodes;
mod outage;
mod whole;

/// An installation with a cluster, and what its workers are told of it.
struct Scene {
    installation: Installation,
    cluster: TestCluster,
    worker: WorkerCluster,
}

impl Scene {
    /// No worker yet.
    async fn new(settings: Value) -> Self {
        let installation = Installation::start().await.unwrap();
        let mut cluster = TestCluster::create().unwrap();
        let worker = cluster.worker(installation.port(), &settings).unwrap();
        platforms::offer_kubernetes(&mut installation.database.pool.acquire().await.unwrap()).await.unwrap();
        installation.offer_simulator().await.unwrap();
        Self { installation, cluster, worker }
    }

    /// Workers that start from now on have other settings.
    fn resettle(&mut self, settings: &Value) {
        self.worker = self.cluster.worker(self.installation.port(), settings).unwrap();
    }

    fn start_worker(&mut self) -> nix::unistd::Pid {
        self.installation.start_cluster_worker(&self.worker).unwrap()
    }

    async fn submit(&self) -> String {
        self.installation.submit(&on_cluster()).await.unwrap()
    }

    /// The finished run; nothing of it is left on the cluster.
    async fn finish(&self, run_id: &str) -> Run {
        let run = self.installation.finish(run_id).await;
        if let Err(error) = &run {
            print_line(&format!("{run_id} did not end: {error:#}\n{}", self.scenery(run_id).await));
        }
        let run = run.unwrap();
        assert_eq!(self.cluster.objects(Some(run_id)).unwrap(), Vec::<String>::new(), "left of {run_id}");
        run
    }

    /// The run's timeline, and what of it is on the cluster.
    async fn scenery(&self, run_id: &str) -> String {
        let events = self.installation.events(run_id).await;
        let run = format!("accelbench.dev/run-id={run_id}");
        let seen =
            [vec!["describe", "pods", "-l", &run], vec!["get", "events"], vec!["get", "all", "-o", "wide"]];
        let seen = seen.map(|what| self.cluster.in_runs(&what).unwrap_or_else(|error| error.to_string()));
        format!("{events:#?}\n{}", seen.join("\n"))
    }

    /// Waits until the pod of a part of the run runs.
    async fn started(&self, run_id: &str, component: &str) {
        let selector = format!("accelbench.dev/run-id={run_id},app.kubernetes.io/component={component}");
        let running = async || {
            let phases = ["get", "pods", "-l", &selector, "-o", "jsonpath={.items[*].status.phase}"];
            Ok(self.cluster.in_runs(&phases)?.contains("Running"))
        };
        self.installation.until("the pod runs", running).await.unwrap();
    }

    /// Runs `accelbench reap` with the reaper's rights; gives how many runs it ended.
    fn reap(&self) -> anyhow::Result<usize> {
        let output = Command::new(Installation::program()?)
            .args(["reap", "--namespace", &self.cluster.namespace])
            .env("KUBECONFIG", self.cluster.kubeconfig_of("accelbench-reaper")?)
            .output()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        anyhow::ensure!(output.status.success(), "{said}");
        Ok(said.matches("Lease was deleted").count())
    }

    /// The reason for which a run failed, whose results are none.
    async fn failure(&self, run_id: &str) -> String {
        let run = self.finish(run_id).await;
        assert_eq!(self.installation.results(run_id).await.unwrap(), Vec::<Value>::new());
        assert!(
            matches!(run.phase.verdict(), Some(Verdict::Failed { .. })),
            "{run_id} did not fail: {run:?}"
        );
        run.phase.verdict().and_then(Verdict::reason).unwrap_or_default().to_owned()
    }
}

/// What the suite tells whoever reads along.
#[expect(clippy::print_stderr, reason = "the matrix is the suite's report")]
fn print_line(line: &str) {
    eprintln!("{line}");
}

/// A short run of the simulator as pods.
fn on_cluster() -> Value {
    let mut request = request("simulator");
    request["platform"] = json!({"kind": "kubernetes", "engine": "simulator"});
    request
}
