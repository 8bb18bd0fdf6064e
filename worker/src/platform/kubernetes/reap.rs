//! The last net: deletes Leases past their deadline or long unrenewed, and with each all of its run. It needs neither
//! database nor worker nor API, and may do nothing but list and delete Leases.

use std::time::Duration;

use accelbench_core::run::RunId;
use chrono::{DateTime, TimeDelta, Utc};
use k8s_openapi::api::coordination::v1::Lease;

use super::cluster::Cluster;
use super::names::{self, DEADLINE_ANNOTATION};

/// A Lease that a reaper deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaped {
    /// Its run.
    pub run_id: RunId,
    /// Why.
    pub reason: String,
}

/// Deletes the Leases of the namespace that are past their deadline, or were not renewed for `unrenewed`.
///
/// # Errors
/// When the cluster cannot be reached, or a Lease cannot be deleted; those before it are.
pub async fn reap(namespace: &str, unrenewed: Duration) -> anyhow::Result<Vec<Reaped>> {
    let cluster = Cluster::connect(namespace).await?;
    let mut reaped = Vec::new();
    for lease in cluster.leases().await? {
        let run_id = lease.metadata.labels.as_ref().and_then(names::run_of);
        let Some((run_id, reason)) = run_id.zip(overdue(&lease, Utc::now(), unrenewed)) else { continue };
        cluster.delete_lease(&lease).await?;
        reaped.push(Reaped { run_id, reason });
    }
    Ok(reaped)
}

/// Why a Lease is to go, if it is.
fn overdue(lease: &Lease, now: DateTime<Utc>, unrenewed: Duration) -> Option<String> {
    if lease.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let deadline = lease.metadata.annotations.as_ref().and_then(|all| all.get(DEADLINE_ANNOTATION));
    let deadline = deadline.and_then(|text| text.parse::<DateTime<Utc>>().ok());
    if let Some(deadline) = deadline.filter(|deadline| *deadline <= now) {
        return Some(format!("its deadline was {deadline}"));
    }
    let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0);
    let renewed = renewed.and_then(|time| DateTime::from_timestamp_micros(time.as_microsecond()));
    let patience = TimeDelta::from_std(unrenewed).unwrap_or(TimeDelta::MAX);
    // One that says neither is nobody's.
    match (renewed, deadline) {
        (Some(renewed), _) if now - renewed > patience => Some(format!("it was renewed last at {renewed}")),
        (None, None) => Some("it names neither a deadline nor a renewal".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use serde_json::{Value, json};

    use super::overdue;

    fn reason(annotations: &Value, renewed: Option<&str>) -> Option<String> {
        let now: DateTime<Utc> = "2026-11-24T16:00:00Z".parse().unwrap();
        let lease = json!({"metadata": {"annotations": annotations}, "spec": {"renewTime": renewed}});
        overdue(&serde_json::from_value(lease).unwrap(), now, Duration::from_mins(10))
    }

    #[test]
    fn a_lease_goes_when_it_is_late_or_forgotten() {
        let (fresh, stale) = (Some("2026-11-24T15:59:00.000000Z"), Some("2026-11-24T15:49:00.000000Z"));
        let until = |text: &str| json!({"accelbench.dev/deadline": text});
        assert_eq!(reason(&until("2026-11-24T18:00:00Z"), fresh), None);
        assert!(reason(&until("2026-11-24T15:00:00Z"), fresh).unwrap().contains("deadline"));
        assert!(reason(&until("2026-11-24T18:00:00Z"), stale).unwrap().contains("renewed last"));
        assert!(reason(&until("soon"), stale).unwrap().contains("renewed last"));
        assert!(reason(&json!({}), None).unwrap().contains("neither"));
        assert_eq!(reason(&json!({}), fresh), None);
    }
}
