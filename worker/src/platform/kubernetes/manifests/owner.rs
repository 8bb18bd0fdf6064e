//! What all objects of a run have in common: their namespace, their labels, and the Lease that owns them.

use accelbench_core::run::RunId;
use accelbench_core::secret::HfToken;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::platform::kubernetes::KubernetesOptions;
use crate::platform::kubernetes::names::{self, Component};

/// A run on the cluster: from it all objects but the Lease are made.
#[derive(Debug, Clone, Copy)]
pub struct RunObjects<'a> {
    /// The run.
    pub run_id: RunId,
    /// The uid of the run's Lease, which the API server gave.
    pub lease_uid: &'a str,
    /// The longest that the run may take, in seconds.
    pub timeout_s: u32,
    /// The person's Hugging Face token, if they gave one. Whoever applies the engine again gives it again: without it the
    /// Deployment changes, and the engine starts anew.
    pub hf_token: Option<&'a HfToken>,
    /// The operator's settings.
    pub options: &'a KubernetesOptions,
}

impl RunObjects<'_> {
    /// The metadata of an object that is deleted with the run's Lease.
    pub(super) fn metadata(&self, component: Component) -> ObjectMeta {
        ObjectMeta {
            name: Some(names::object(self.run_id, component)),
            namespace: Some(self.options.namespace.clone()),
            labels: Some(names::labels(self.run_id, component)),
            owner_references: Some(vec![self.owner()]),
            ..ObjectMeta::default()
        }
    }

    fn owner(&self) -> OwnerReference {
        OwnerReference {
            api_version: "coordination.k8s.io/v1".to_owned(),
            kind: "Lease".to_owned(),
            name: names::lease(self.run_id),
            uid: self.lease_uid.to_owned(),
            // The Lease, deleted in the foreground, stays until all else is gone: its absence is the proof.
            block_owner_deletion: Some(true),
            controller: None,
        }
    }
}
