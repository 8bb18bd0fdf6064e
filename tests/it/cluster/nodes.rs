//! A node with an accelerator, as our pools make them: an engine's profile, its placement and its machine. The node is
//! made by the test; that Karpenter makes one is Karpenter's affair.

use std::env;

use accelbench_core::run::Verdict;
use serde_json::{Value, json};

use super::{Scene, print_line};

/// A node of a pool of this test alone, with one GPU; it goes when it is dropped.
struct GpuNode<'a> {
    scene: &'a Scene,
    name: String,
}

impl<'a> GpuNode<'a> {
    fn create(scene: &'a Scene) -> Self {
        let name = pool(scene);
        let capacity = json!({
            "cpu": "4", "memory": "32Gi", "ephemeral-storage": "250Gi", "pods": "58", "nvidia.com/gpu": "1",
        });
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {
                    "kube.accelbench.test/managed": "true", "kubernetes.io/hostname": name,
                    "node.kubernetes.io/instance-type": "g6e.xlarge", "topology.kubernetes.io/zone": "us-east-1a",
                    "accelbench.dev/pool": name, "nvidia.com/cuda.driver-version.full": "580.95.05",
                },
                "annotations": {"kube.accelbench.test/capacity": capacity.to_string()},
            },
            "spec": {"taints": [
                {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"},
                {"key": "accelbench.dev/dedicated", "value": "true", "effect": "NoSchedule"},
            ]},
        });
        scene.cluster.apply_objects(&[node]).unwrap();
        Self { scene, name }
    }
}

impl Drop for GpuNode<'_> {
    fn drop(&mut self) {
        let _ = self.scene.cluster.kubectl(&["delete", "node", &self.name, "--wait=false"]);
    }
}

fn pool(scene: &Scene) -> String {
    format!("{}-gpu", scene.cluster.namespace)
}

/// vLLM (or what stands for it) on the nodes of this test.
async fn scene() -> Option<Scene> {
    if env::var_os("ACCELBENCH_CLUSTER_NODES").is_none() {
        print_line("SKIPPED: ACCELBENCH_CLUSTER_NODES is not set, so that no node can be made");
        return None;
    }
    let mut scene = Scene::new(json!({})).await;
    let taints = json!({"accelbench.dev/dedicated": "true", "nvidia.com/gpu": "true"});
    let gpu_pool = json!({"labels": {"accelbench.dev/pool": pool(&scene)}, "taints": taints});
    scene.resettle(&json!({"gpu_pool": gpu_pool}));
    scene.start_worker();
    Some(scene)
}

fn request() -> Value {
    let mut request = super::on_cluster();
    request["platform"] = json!({"kind": "kubernetes"});
    request
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_run_waits_for_its_node_and_describes_it_in_its_results() {
    let Some(scene) = scene().await else { return };
    let run_id = scene.installation.submit(&request()).await.unwrap();
    let told = async || {
        let events = scene.installation.events(&run_id).await?;
        Ok(events.iter().any(|event| event.message.contains("no node")))
    };
    scene.installation.until("the timeline tells that no node fits", told).await.unwrap();
    let _node = GpuNode::create(&scene);
    let run = scene.finish(&run_id).await;
    let events = scene.installation.events(&run_id).await.unwrap();
    for event in &events {
        print_line(&format!("{} {}", event.at.format("%H:%M:%S%.3f"), event.message));
    }
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let results = scene.installation.results(&run_id).await.unwrap();
    let provenance = &results[0]["provenance"];
    assert_eq!(provenance["availability_zone"]["value"], "us-east-1a", "{provenance}");
    assert_eq!(provenance["driver_version"]["value"], "580.95.05", "{provenance}");
    assert_eq!(provenance["accelerators_used"]["value"], 1, "{provenance}");
    let arguments = provenance["engine_arguments"]["value"].to_string();
    assert!(arguments.contains("--no-enable-prefix-caching"), "{arguments}");
}

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn a_node_that_goes_under_its_engine_ends_the_run() {
    let Some(scene) = scene().await else { return };
    let node = GpuNode::create(&scene);
    let mut request = request();
    request["measurement"] = json!({"min_duration_s": 60.0, "min_requests": 5});
    let run_id = scene.installation.submit(&request).await.unwrap();
    scene.installation.reach(&run_id, "loading").await.unwrap();
    scene.started(&run_id, "loadgen").await;
    let since = std::time::Instant::now();
    drop(node);
    let reason = scene.failure(&run_id).await;
    let took = since.elapsed().as_secs_f64();
    print_line(&format!("MATRIX | node deleted under the engine | failed | {took:.1} s | {reason}"));
    assert!(took < 120.0, "{took}");
}
