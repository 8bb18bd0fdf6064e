//! The run's anchor. It owns all other objects; whoever deletes it deletes the run. The worker renews it, and the reaper
//! deletes one that is past its deadline or was not renewed, when everything else is down.

use accelbench_core::run::RunId;
use chrono::{DateTime, SecondsFormat, Utc};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;

use crate::platform::kubernetes::KubernetesOptions;
use crate::platform::kubernetes::names::{self, Component, DEADLINE_ANNOTATION, owned};

/// How long a Lease counts as held without being renewed, in seconds.
pub const LEASE_DURATION_S: i32 = 120;

/// Who looks after a run, since when and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure<'a> {
    /// The worker.
    pub holder: &'a str,
    /// When it last said that it lives.
    pub renewed_at: DateTime<Utc>,
    /// When the run must be gone, whoever looks after it.
    pub deadline_at: DateTime<Utc>,
}

/// The run's Lease, held by a worker.
#[must_use]
pub fn lease(run_id: RunId, tenure: &Tenure<'_>, options: &KubernetesOptions) -> Lease {
    let deadline = tenure.deadline_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    Lease {
        metadata: ObjectMeta {
            name: Some(names::lease(run_id)),
            namespace: Some(options.namespace.clone()),
            labels: Some(names::labels(run_id, Component::Anchor)),
            annotations: Some(owned([(DEADLINE_ANNOTATION, &deadline)])),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(tenure.holder.to_owned()),
            lease_duration_seconds: Some(LEASE_DURATION_S),
            renew_time: Some(micro_time(tenure.renewed_at)),
            ..LeaseSpec::default()
        }),
    }
}

fn micro_time(at: DateTime<Utc>) -> MicroTime {
    MicroTime(Timestamp::from_microsecond(at.timestamp_micros()).expect("both calendars reach the year 9999"))
}
