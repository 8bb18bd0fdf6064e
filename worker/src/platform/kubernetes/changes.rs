//! Tells when something of a run has changed on the cluster, so that nobody has to ask again and again: watches of pods,
//! Jobs and Leases by the labels of our objects. A watch that breaks is begun anew; until then the driver's own rhythm
//! holds.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelbench_core::run::RunId;
use futures::StreamExt as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::cluster::Cluster;
use super::names;

/// How often each run changed, and at which of its changes it was looked at last.
pub(super) struct Changes {
    counts: Arc<Counts>,
    _stop: DropGuard,
}

#[derive(Default)]
struct Counts {
    by_run: Mutex<HashMap<RunId, Count>>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    changes: u64,
    looked_at: u64,
}

impl Changes {
    /// Begins to watch.
    pub(super) fn watch(cluster: &Cluster) -> Self {
        let (counts, stop) = (Arc::<Counts>::default(), CancellationToken::new());
        tokio::spawn(
            stop.clone().run_until_cancelled_owned(follow::<Pod>(cluster.clone(), Arc::clone(&counts))),
        );
        tokio::spawn(
            stop.clone().run_until_cancelled_owned(follow::<Job>(cluster.clone(), Arc::clone(&counts))),
        );
        tokio::spawn(
            stop.clone().run_until_cancelled_owned(follow::<Lease>(cluster.clone(), Arc::clone(&counts))),
        );
        Self { counts, _stop: stop.drop_guard() }
    }

    /// Notes that the run is being looked at: what changes from now on is news.
    pub(super) fn look(&self, run_id: RunId) {
        let mut counts = self.counts.lock();
        let count = counts.entry(run_id).or_default();
        count.looked_at = count.changes;
    }

    /// Waits until the run has changed since it was looked at, for `at_most`.
    pub(super) async fn of(&self, run_id: RunId, at_most: Duration) {
        let until = Instant::now() + at_most;
        loop {
            let mut changed = pin!(self.counts.changed.notified());
            changed.as_mut().enable();
            let count = self.counts.lock().get(&run_id).copied().unwrap_or_default();
            if count.changes > count.looked_at || timeout_at(until, changed).await.is_err() {
                return;
            }
        }
    }

    /// Forgets a run that is over.
    pub(super) fn forget(&self, run_id: RunId) {
        self.counts.lock().remove(&run_id);
    }
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, Count>> {
        self.by_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs that nobody here looks at are not counted.
    fn note(&self, run_id: RunId) {
        if let Some(count) = self.lock().get_mut(&run_id) {
            count.changes += 1;
            self.changed.notify_waiters();
        }
    }
}

async fn follow<K>(cluster: Cluster, counts: Arc<Counts>)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let ours = watcher::Config::default().labels(&names::selector_of_ours());
    let mut events = pin!(watcher(cluster.watched::<PartialObjectMeta<K>>(), ours).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) => {
                if let Some(run_id) = names::run_of(object.labels()) {
                    counts.note(run_id);
                }
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => {
                tracing::debug!(kind = %K::kind(&()), %error, "a watch broke off and is begun anew");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use accelbench_core::run::RunId;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::{Changes, Counts};

    fn changes() -> Changes {
        Changes { counts: Arc::new(Counts::default()), _stop: CancellationToken::new().drop_guard() }
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_since_the_last_look_is_told_at_once() {
        let (changes, run_id) = (changes(), RunId::new());
        changes.look(run_id);
        changes.counts.note(run_id);
        let began = Instant::now();
        changes.of(run_id, Duration::from_secs(9)).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_seen_and_what_is_others_is_no_news() {
        let (changes, run_id) = (changes(), RunId::new());
        changes.look(run_id);
        changes.counts.note(run_id);
        changes.look(run_id);
        let began = Instant::now();
        let wait = changes.of(run_id, Duration::from_secs(9));
        let others = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            changes.counts.note(RunId::new());
            changes.counts.changed.notify_waiters();
        };
        tokio::join!(wait, others);
        assert_eq!(began.elapsed(), Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_ends_the_waiting() {
        let (changes, run_id) = (changes(), RunId::new());
        changes.look(run_id);
        let began = Instant::now();
        let change = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            changes.counts.note(run_id);
        };
        tokio::join!(changes.of(run_id, Duration::from_secs(9)), change);
        assert_eq!(began.elapsed(), Duration::from_secs(2));
    }
}
