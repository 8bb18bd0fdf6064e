//! What the database knows of the whole installation: every server shows the same. What cannot be read now is not shown,
//! rather than shown as it was.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use accelbench_core::run::Phase;
use accelbench_store::prices::{self, Look};
use accelbench_store::status::{self, Status};
use accelbench_store::{PgPool, Result};
use chrono::Utc;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::timeout;

type Fraction = Gauge<f64, AtomicU64>;
/// A family of one, because a family can be emptied.
type NoLabels = [(&'static str, &'static str); 0];

const PATIENCE: Duration = Duration::from_secs(5);

/// Gauges that are empty until a look succeeded.
#[derive(Debug, Clone, Default)]
pub struct InstallationMetrics {
    runs: Family<[(&'static str, String); 1], Gauge>,
    parked: Family<NoLabels, Gauge>,
    workers_alive: Family<NoLabels, Gauge>,
    queue_depth: Family<NoLabels, Gauge>,
    queue_oldest_s: Family<NoLabels, Fraction>,
    price_age_s: Family<NoLabels, Fraction>,
    price_look_failed: Family<[(&'static str, String); 2], Gauge>,
}

struct Seen {
    status: Status,
    price_age_s: Option<f64>,
    looks: Vec<Look>,
}

impl InstallationMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("runs", "Runs, by phase", self.runs.clone());
        registry.register("runs_parked", "Runs that wait for a person", self.parked.clone());
        registry.register(
            "workers_alive",
            "Workers that were heard of in the last minute",
            self.workers_alive.clone(),
        );
        registry.register("queue_depth", "Runs that wait for a place or a worker", self.queue_depth.clone());
        registry.register(
            "queue_oldest_seconds",
            "How long the oldest of them has been waiting; 0 where none waits",
            self.queue_oldest_s.clone(),
        );
        registry.register(
            "price_age_seconds",
            "How long ago a price list was last read with success",
            self.price_age_s.clone(),
        );
        registry.register(
            "price_look_failed",
            "Whether the last look at a price list failed: 1 or 0",
            self.price_look_failed.clone(),
        );
    }

    pub(super) async fn look(&self, pool: &PgPool) {
        match timeout(PATIENCE, read(pool)).await {
            Ok(Ok(seen)) => self.show(&seen),
            // `database_up` says it, and the request's own log line why.
            Ok(Err(_)) | Err(_) => self.clear(),
        }
    }

    fn show(&self, seen: &Seen) {
        for phase in Phase::WORDS {
            let count = seen.status.runs_by_phase.get(phase).copied().unwrap_or_default();
            self.runs.get_or_create(&[("phase", phase.to_owned())]).set(count);
        }
        let queued = seen.status.runs_by_phase.get("queued").copied().unwrap_or_default();
        self.queue_depth.get_or_create(&[]).set(queued);
        self.queue_oldest_s.get_or_create(&[]).set(seen.status.oldest_queued_s.unwrap_or_default());
        self.parked.get_or_create(&[]).set(seen.status.parked);
        self.workers_alive.get_or_create(&[]).set(seen.status.workers_alive);
        if let Some(age_s) = seen.price_age_s {
            self.price_age_s.get_or_create(&[]).set(age_s);
        }
        for look in &seen.looks {
            let labels = [("source", look.source.clone()), ("region", look.region.clone())];
            self.price_look_failed.get_or_create(&labels).set(i64::from(look.error.is_some()));
        }
    }

    fn clear(&self) {
        self.runs.clear();
        self.price_look_failed.clear();
        for gauge in [&self.parked, &self.workers_alive, &self.queue_depth] {
            gauge.clear();
        }
        self.queue_oldest_s.clear();
        self.price_age_s.clear();
    }
}

async fn read(pool: &PgPool) -> Result<Seen> {
    let mut connection = pool.acquire().await?;
    let confirmed = prices::confirmed_at(&mut connection).await?;
    Ok(Seen {
        status: status::summary(&mut connection).await?,
        price_age_s: confirmed.map(|at| (Utc::now() - at).num_milliseconds().max(0) as f64 / 1000.0),
        looks: prices::last_looks(&mut connection).await?,
    })
}
