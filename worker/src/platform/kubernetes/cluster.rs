//! The API server as this platform uses it. Each call may be repeated, none waits long: a server that hangs is as good as
//! one that is down, and the driver comes again.

use std::time::Duration;

use accelbench_core::run::RunId;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, Preconditions};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, Config, Error, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::manifests::Manifest;
use super::names::{self, Component, FIELD_MANAGER};
use crate::platform::PlatformError;

/// A server that does not answer within this time counts as unreachable.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The namespace of runs on a cluster.
#[derive(Clone)]
pub(super) struct Cluster {
    client: Client,
    /// For watches, whose answers are long.
    watching: Client,
    namespace: String,
}

impl Cluster {
    /// The cluster in which this process runs, or the one that its kubeconfig names.
    pub(super) async fn connect(namespace: &str) -> anyhow::Result<Self> {
        let mut config = Config::infer().await?;
        let watching = Client::try_from(config.clone())?;
        config.connect_timeout = Some(ANSWER_TIMEOUT);
        config.read_timeout = Some(ANSWER_TIMEOUT);
        config.write_timeout = Some(ANSWER_TIMEOUT);
        Ok(Self { client: Client::try_from(config)?, watching, namespace: namespace.to_owned() })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Objects of a kind, for watching.
    pub(super) fn watched<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.watching.clone(), &self.namespace)
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Writes an object as it shall be; one that is so already is left alone.
    pub(super) async fn apply(&self, manifest: &Manifest) -> Result<(), PlatformError> {
        match manifest {
            Manifest::Lease(object) => self.apply_typed(object).await.map(|_| ()),
            Manifest::Secret(object) => self.apply_typed(object).await.map(|_| ()),
            Manifest::NetworkPolicy(object) => self.apply_typed(object).await.map(|_| ()),
            Manifest::Service(object) => self.apply_typed(object).await.map(|_| ()),
            Manifest::Deployment(object) => self.apply_typed(object).await.map(|_| ()),
            Manifest::Job(object) => self.apply_typed(object).await.map(|_| ()),
        }
    }

    async fn apply_typed<K>(&self, object: &K) -> Result<K, PlatformError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let name = object.meta().name.clone().unwrap_or_default();
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let applied = self.api::<K>().patch(&name, &parameters, &Patch::Apply(object)).await;
        applied.map_err(|error| failure(&format!("{} {name} cannot be applied", K::kind(&())), error))
    }

    /// The run's Lease.
    pub(super) async fn lease(&self, run_id: RunId) -> Result<Option<Lease>, PlatformError> {
        let found = self.api::<Lease>().get_opt(&names::lease(run_id)).await;
        found.map_err(|error| failure("the run's Lease cannot be read", error))
    }

    /// Makes the run's Lease; another worker may have been faster.
    pub(super) async fn create_lease(&self, lease: &Lease) -> Result<Lease, PlatformError> {
        self.apply_typed(lease).await
    }

    /// Every Lease of ours.
    pub(super) async fn leases(&self) -> Result<Vec<Lease>, PlatformError> {
        let ours = ListParams::default().labels(&names::selector_of_ours());
        let list = self.api::<Lease>().list(&ours).await;
        Ok(list.map_err(|error| failure("the Leases cannot be listed", error))?.items)
    }

    /// Says that the run is looked after; false when its Lease is gone. Never makes one.
    pub(super) async fn renew(&self, run_id: RunId, holder: &str) -> Result<bool, PlatformError> {
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        self.patch_lease(run_id, &json!({"spec": {"renewTime": now, "holderIdentity": holder}})).await
    }

    /// Notes something on the run's Lease; false when it is gone or going.
    pub(super) async fn annotate(
        &self,
        run_id: RunId,
        key: &str,
        value: &str,
    ) -> Result<bool, PlatformError> {
        let annotations = json!({"metadata": {"annotations": {key: value}}});
        self.patch_lease(run_id, &annotations).await
    }

    async fn patch_lease(&self, run_id: RunId, patch: &Value) -> Result<bool, PlatformError> {
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match self.api::<Lease>().patch(&names::lease(run_id), &parameters, &Patch::Merge(patch)).await {
            Ok(lease) => Ok(lease.metadata.deletion_timestamp.is_none()),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(failure("the run's Lease cannot be changed", error)),
        }
    }

    /// Deletes this very Lease, which stays until all that it owns is gone.
    pub(super) async fn delete_lease(&self, lease: &Lease) -> Result<(), PlatformError> {
        let name = lease.metadata.name.clone().unwrap_or_default();
        let this_one = Preconditions { uid: lease.metadata.uid.clone(), resource_version: None };
        let parameters = DeleteParams::foreground().preconditions(this_one);
        match self.api::<Lease>().delete(&name, &parameters).await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(failure("the run's Lease cannot be deleted", error)),
        }
    }

    /// The pods of one part of a run.
    pub(super) async fn pods(&self, run_id: RunId, component: Component) -> Result<Vec<Pod>, PlatformError> {
        self.pods_by(&names::selector_text(&names::selector(run_id, component))).await
    }

    /// All pods of a run.
    pub(super) async fn all_pods(&self, run_id: RunId) -> Result<Vec<Pod>, PlatformError> {
        self.pods_by(&names::selector_of_run(run_id)).await
    }

    async fn pods_by(&self, selector: &str) -> Result<Vec<Pod>, PlatformError> {
        let list = self.api::<Pod>().list(&ListParams::default().labels(selector)).await;
        Ok(list.map_err(|error| failure("the run's pods cannot be listed", error))?.items)
    }

    /// The load generator's Job.
    pub(super) async fn job(&self, run_id: RunId) -> Result<Option<Job>, PlatformError> {
        let found = self.api::<Job>().get_opt(&names::object(run_id, Component::Loadgen)).await;
        found.map_err(|error| failure("the load generator's Job cannot be read", error))
    }

    /// What was told of an object lately. Only for words: none where it cannot be read.
    pub(super) async fn events_of(&self, name: &str) -> Vec<Event> {
        let of_it = ListParams::default().fields(&format!("involvedObject.name={name}"));
        self.api::<Event>().list(&of_it).await.map(|list| list.items).unwrap_or_default()
    }

    /// What was told of the objects of a kind whose names begin so.
    pub(super) async fn events_of_kind(&self, kind: &str, prefix: &str) -> Vec<Event> {
        let of_kind = ListParams::default().fields(&format!("involvedObject.kind={kind}"));
        let mut events = self.api::<Event>().list(&of_kind).await.map(|list| list.items).unwrap_or_default();
        let begins =
            |event: &Event| event.involved_object.name.as_deref().unwrap_or_default().starts_with(prefix);
        events.retain(begins);
        events
    }

    /// The node of this name.
    pub(super) async fn node(&self, name: &str) -> Option<Node> {
        Api::<Node>::all(self.client.clone()).get_opt(name).await.ok().flatten()
    }

    /// Karpenter's claim of this name; none where there is no Karpenter.
    pub(super) async fn node_claim(&self, name: &str) -> Option<Value> {
        let claim = self.node_claims().get_opt(name).await.ok().flatten()?;
        serde_json::to_value(claim).ok()
    }

    /// Karpenter's claim of a node.
    pub(super) async fn claim_of_node(&self, node: &str) -> Option<Value> {
        let claims = self.node_claims().list(&ListParams::default()).await.ok()?;
        let of_node = |claim: &DynamicObject| claim.data["status"]["nodeName"] == node;
        serde_json::to_value(claims.items.into_iter().find(of_node)?).ok()
    }

    fn node_claims(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("karpenter.sh", "v1", "NodeClaim");
        Api::all_with(self.client.clone(), &ApiResource::from_gvk(&kind))
    }

    /// The end of a container's log: at most so many lines, and of the container before where `previous` says so.
    /// Nothing where there is none.
    pub(super) async fn log(&self, pod: &str, which: Container, lines: i64) -> String {
        let parameters = LogParams {
            tail_lines: Some(lines),
            limit_bytes: Some(MOST_LOG_BYTES),
            previous: which == Container::Previous,
            ..LogParams::default()
        };
        self.api::<Pod>().logs(pod, &parameters).await.unwrap_or_default()
    }
}

/// Longest part of a log that is read at once.
const MOST_LOG_BYTES: i64 = 512 * 1024;

/// Of which container of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// The one that runs, or ran last.
    Present,
    /// The one before it.
    Previous,
}

fn is_absent(error: &Error) -> bool {
    // 409: the precondition says that it is another one by now.
    matches!(error, Error::Api(status) if matches!(status.code, 404 | 409 | 410))
}

/// What the driver is told: whether to come again, to try a few times, or to give up.
fn failure(what: &str, error: Error) -> PlatformError {
    match error {
        Error::Api(status) => {
            let said = format!("{what}: {} ({})", status.message, status.code);
            match status.code {
                429 | 500..=599 => PlatformError::Unreachable(said),
                400 | 422 => PlatformError::Refused(said),
                403 => PlatformError::Failed(format!("{said}; apply deploy/kubernetes")),
                _ => PlatformError::Failed(said),
            }
        }
        error @ (Error::SerdeError(_) | Error::BuildRequest(_) | Error::HttpError(_)) => {
            PlatformError::Failed(format!("{what}: {error}"))
        }
        error => PlatformError::Unreachable(format!("{what}: {}", accelbench_store::error::chain(&error))),
    }
}
