//! Runs on a real API server. They need a cluster: `make test-cluster` says how.

use accelbench_core::run::{Run, Verdict};
use accelbench_store::platforms;
use accelbench_tests::cluster::{TestCluster, WorkerCluster};
use accelbench_tests::installation::{Installation, request};
use serde_json::{Value, json};

mod faults;
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

    fn start_worker(&mut self) -> nix::unistd::Pid {
        self.installation.start_cluster_worker(&self.worker).unwrap()
    }

    async fn submit(&self) -> String {
        self.installation.submit(&on_cluster()).await.unwrap()
    }

    /// The finished run; nothing of it is left on the cluster.
    async fn finish(&self, run_id: &str) -> Run {
        let run = self.installation.finish(run_id).await.unwrap();
        assert_eq!(self.cluster.objects(Some(run_id)).unwrap(), Vec::<String>::new(), "left of {run_id}");
        run
    }

    /// The reason for which a run failed, whose results are none.
    async fn failure(&self, run_id: &str) -> String {
        let run = self.finish(run_id).await;
        assert_eq!(self.installation.results(run_id).await.unwrap(), Vec::<Value>::new());
        match run.phase.verdict() {
            Some(Verdict::Failed { reason }) => reason.clone(),
            other => panic!("{run_id} did not fail: {other:?}"),
        }
    }
}

/// A short run of the simulator as pods.
fn on_cluster() -> Value {
    let mut request = request("simulator");
    request["platform"] = json!({"kind": "kubernetes", "engine": "simulator"});
    request
}
