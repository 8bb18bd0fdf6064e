//! A Kubernetes cluster for tests: whatever KUBECONFIG points to, with a namespace for each test and workers that have
//! the rights of deploy/kubernetes and no more. `tests/cluster/run` prepares what is needed and says what each variable
//! is for.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Our rights in a cluster, as users apply them.
const RIGHTS: [&str; 2] = [
    include_str!("../../deploy/kubernetes/namespaces.yaml"),
    include_str!("../../deploy/kubernetes/rbac.yaml"),
];

/// What a worker outside the cluster needs beside them: it asks engines through the API server.
const OUTSIDE: &str = include_str!("../../deploy/kubernetes/rbac-worker-outside.yaml");

/// Kinds that a run may consist of.
const KINDS: &str = "leases,deployments,replicasets,jobs,pods,services,secrets,networkpolicies";

/// A namespace on a cluster, with the accounts of deploy/kubernetes.
#[derive(Debug)]
pub struct TestCluster {
    folder: TempDir,
    /// Where runs live.
    pub namespace: String,
    /// Where the accounts live.
    home: String,
    exposed: Vec<u16>,
}

/// What a worker must be told of a cluster.
#[derive(Debug, Clone)]
pub struct WorkerCluster {
    /// The settings.
    pub settings: PathBuf,
    /// A kubeconfig with the worker's own rights.
    pub kubeconfig: PathBuf,
    /// The API as pods reach it.
    pub api_url: String,
}

impl TestCluster {
    /// Makes the namespaces and accounts of one test.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn create() -> anyhow::Result<Self> {
        let mark = Uuid::now_v7().simple().to_string();
        let mark = mark.get(20..).unwrap_or_default();
        let (home, namespace) = (format!("ab-{mark}"), format!("ab-{mark}-runs"));
        let cluster = Self { folder: tempfile::tempdir()?, namespace, home, exposed: Vec::new() };
        for text in RIGHTS.into_iter().chain([OUTSIDE]) {
            cluster.apply(text)?;
        }
        Ok(cluster)
    }

    /// Applies one of our files in this test's namespaces.
    fn apply(&self, text: &str) -> anyhow::Result<()> {
        let documents = text.split("---\n").map(|document| self.own(document));
        let text = documents.collect::<Vec<_>>().join("---\n");
        let file = self.folder.path().join("apply.yaml");
        fs::write(&file, text)?;
        self.kubectl(&["apply", "-f", &file.to_string_lossy()])?;
        Ok(())
    }

    /// A document with this test's names.
    fn own(&self, document: &str) -> String {
        let (home, runs) = (&self.home, &self.namespace);
        let document = format!("{document}\n")
            .replace("namespace: accelbench-runs\n", &format!("namespace: {runs}\n"))
            .replace("namespace: accelbench\n", &format!("namespace: {home}\n"));
        if document.contains("kind: Namespace\n") {
            return document
                .replace("  name: accelbench-runs\n", &format!("  name: {runs}\n"))
                .replace("  name: accelbench\n", &format!("  name: {home}\n"));
        }
        if document.contains("kind: ClusterRole") {
            return document
                .replace("  name: accelbench-worker\n  labels", &format!("  name: {home}-worker\n  labels"))
                .replace(
                    "kind: ClusterRole\n  name: accelbench-worker",
                    &format!("kind: ClusterRole\n  name: {home}-worker"),
                );
        }
        document
    }

    /// Makes the API that listens on `port` of this machine reachable for pods, and says what a worker is to be told.
    ///
    /// # Errors
    /// When a file cannot be written or the account has no token.
    pub fn worker(&mut self, port: u16, changes: &Value) -> anyhow::Result<WorkerCluster> {
        if let Some(expose) = env::var_os("ACCELBENCH_CLUSTER_EXPOSE") {
            run(Command::new(expose).arg(port.to_string()))?;
            self.exposed.push(port);
        }
        let host = env::var("ACCELBENCH_CLUSTER_HOST").unwrap_or_else(|_| "host.internal".to_owned());
        let mut settings = json!({
            "namespace": self.namespace,
            "image": image(),
            "loadgen_pool": {"labels": {}, "taints": {}},
            "loadgen_nodes": "allowed",
            "loadgen_host": {"cpu_millicores": 100, "memory_mib": 128},
            "loadgen_service_account": "accelbench-loadgen",
            "api": {"kind": "addresses", "cidr": "10.250.0.254/32", "port": port},
        });
        for (key, value) in changes.as_object().into_iter().flatten() {
            settings[key] = value.clone();
        }
        let file = self.folder.path().join(format!("settings-{}.json", Uuid::now_v7()));
        fs::write(&file, serde_json::to_vec(&settings)?)?;
        let kubeconfig = self.kubeconfig_of("accelbench-worker")?;
        Ok(WorkerCluster { settings: file, kubeconfig, api_url: format!("http://{host}:{port}") })
    }

    /// A kubeconfig with the rights of a service account and no others.
    ///
    /// # Errors
    /// When the account has no token.
    pub fn kubeconfig_of(&self, account: &str) -> anyhow::Result<PathBuf> {
        let config: Value = serde_json::from_str(&self.kubectl(&["config", "view", "--raw", "-o", "json"])?)?;
        let cluster = config["clusters"][0]["cluster"].clone();
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}});
        let file = self.folder.path().join("token-request.json");
        fs::write(&file, serde_json::to_vec(&request)?)?;
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{account}/token", self.home);
        let answer = self.kubectl(&["create", "--raw", &path, "-f", &file.to_string_lossy()])?;
        let answer: Value = serde_json::from_str(&answer)?;
        let token = answer["status"]["token"].as_str().context("the account got no token")?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        });
        let file = self.folder.path().join(format!("{account}.kubeconfig"));
        fs::write(&file, serde_json::to_vec(&config)?)?;
        Ok(file)
    }

    /// What is in the namespace of a run (or of any run), by kind and name.
    ///
    /// # Errors
    /// When the cluster does not say.
    pub fn objects(&self, run_id: Option<&str>) -> anyhow::Result<Vec<String>> {
        let selector = run_id.map_or_else(
            || "app.kubernetes.io/managed-by=accelbench-worker".to_owned(),
            |run_id| format!("accelbench.dev/run-id={run_id}"),
        );
        let names = self.kubectl(&["-n", &self.namespace, "get", KINDS, "-l", &selector, "-o", "name"])?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Makes a Lease as a worker makes it, of a run that nobody knows.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn make_lease(&self, run_id: &str) -> anyhow::Result<()> {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {
                "name": format!("run-{run_id}"), "namespace": self.namespace,
                "labels": {
                    "app.kubernetes.io/managed-by": "accelbench-worker", "accelbench.dev/run-id": run_id,
                },
            },
            "spec": {"leaseDurationSeconds": 120},
        });
        self.apply_objects(&[lease])
    }

    /// Applies objects as they are.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn apply_objects(&self, objects: &[Value]) -> anyhow::Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let file = self.folder.path().join("objects.json");
        fs::write(&file, serde_json::to_vec(&list)?)?;
        self.kubectl(&["apply", "-f", &file.to_string_lossy()]).map(|_| ())
    }

    /// Asks for the eviction of a pod, as a drained node does.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn evict(&self, pod: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", self.namespace);
        let file = self.folder.path().join("eviction.json");
        // Servers before 1.22 know the older version alone.
        let evict = |version: &str| {
            let metadata = json!({"name": pod, "namespace": self.namespace});
            let eviction = json!({"apiVersion": version, "kind": "Eviction", "metadata": metadata});
            fs::write(&file, serde_json::to_vec(&eviction)?)?;
            self.kubectl(&["create", "--raw", &path, "-f", &file.to_string_lossy()])
        };
        evict("policy/v1").or_else(|_too_old| evict("policy/v1beta1")).map(|_| ())
    }

    /// Runs kubectl in the namespace of runs.
    ///
    /// # Errors
    /// With what it said when it failed.
    pub fn in_runs(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.kubectl(&[&["-n", self.namespace.as_str()], arguments].concat())
    }

    /// Runs kubectl with all rights.
    ///
    /// # Errors
    /// With what it said when it failed.
    pub fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let kubectl = env::var_os("KUBECTL").unwrap_or_else(|| "kubectl".into());
        run(Command::new(kubectl)
            .args(["--request-timeout=20s", "--cache-dir"])
            .arg(self.folder.path())
            .args(arguments))
    }
}

/// Our image, as the cluster knows it.
#[must_use]
pub fn image() -> String {
    env::var("ACCELBENCH_CLUSTER_IMAGE").unwrap_or_else(|_| "registry.test/accelbench:test".to_owned())
}

/// Breaks a part of the cluster, or mends it: `fault apiserver stop`. None where the cluster has no such tool.
///
/// # Errors
/// When the tool fails.
pub fn fault(arguments: &[&str]) -> anyhow::Result<()> {
    let tool = env::var_os("ACCELBENCH_CLUSTER_FAULT").context("ACCELBENCH_CLUSTER_FAULT names no tool")?;
    run(Command::new(tool).args(arguments)).map(|_| ())
}

/// Whether parts of the cluster can be broken.
#[must_use]
pub fn can_be_broken() -> bool {
    env::var_os("ACCELBENCH_CLUSTER_FAULT").is_some_and(|tool| Path::new(&tool).is_file())
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&stderr).trim());
    }
    let text = String::from_utf8(stdout)?;
    ensure!(!text.contains('\0'), "{command:?} wrote no text");
    Ok(text)
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        for port in &self.exposed {
            if let Some(expose) = env::var_os("ACCELBENCH_CLUSTER_EXPOSE") {
                let _ = run(Command::new(expose).args(["--end", &port.to_string()]));
            }
        }
        let (home, runs) = (self.home.clone(), self.namespace.clone());
        let _ = self.kubectl(&["delete", "namespace", &home, &runs, "--wait=false"]);
        for kind in ["clusterrole", "clusterrolebinding"] {
            let _ = self.kubectl(&["delete", kind, &format!("{home}-worker"), "--ignore-not-found"]);
        }
    }
}
