//! Whether the database answers, and how many connections to it are in use.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use accelbench_store::{PgPool, status};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::timeout;

type Fraction = Gauge<f64, AtomicU64>;

/// Less than a scrape may take, so that the answer "it does not answer" arrives.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Default)]
pub(super) struct DatabaseMetrics {
    up: Gauge,
    answer_s: Fraction,
    connections: Family<[(&'static str, &'static str); 1], Gauge>,
}

impl DatabaseMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "database_up",
            "Whether the database answers this process: 1 or 0",
            self.up.clone(),
        );
        registry.register(
            "database_answer_seconds",
            "How long the last question took, with the wait for a connection",
            self.answer_s.clone(),
        );
        registry.register(
            "database_connections",
            "Connections of this process, by state: used, idle, and the most that there may be",
            self.connections.clone(),
        );
    }

    /// Looks anew; whether it answers.
    pub(super) async fn look(&self, pool: &PgPool) -> bool {
        let asked = Instant::now();
        let up = matches!(timeout(PATIENCE, ask(pool)).await, Ok(Ok(())));
        self.up.set(i64::from(up));
        self.answer_s.set(asked.elapsed().as_secs_f64());
        let idle = pool.num_idle() as i64;
        for (state, count) in [
            ("idle", idle),
            ("used", i64::from(pool.size()) - idle),
            ("most", i64::from(pool.options().get_max_connections())),
        ] {
            self.connections.get_or_create(&[("state", state)]).set(count.max(0));
        }
        up
    }
}

async fn ask(pool: &PgPool) -> accelbench_store::Result<()> {
    status::answers(&mut *pool.acquire().await?).await
}
