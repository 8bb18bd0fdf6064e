//! Whether the database answers, and how many connections to it are in use.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use accelbench_store::pool::Reader;
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
    pub(super) reader: Option<Reader>,
    reader_used: Family<[(&'static str, &'static str); 0], Gauge>,
    reader_lag_s: Family<[(&'static str, &'static str); 0], Fraction>,
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
        registry.register(
            "database_reader_used",
            "Whether the catalog is read from the reader: 1 or 0; nothing where none was named",
            self.reader_used.clone(),
        );
        registry.register(
            "database_reader_lag_seconds",
            "How far the reader is behind; nothing while it is away",
            self.reader_lag_s.clone(),
        );
    }

    /// Looks anew; whether it answers.
    pub(super) async fn look(&self, pool: &PgPool) -> bool {
        let asked = Instant::now();
        let up = matches!(timeout(PATIENCE, ask(pool)).await, Ok(Ok(())));
        self.up.set(i64::from(up));
        self.answer_s.set(asked.elapsed().as_secs_f64());
        let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX);
        for (state, count) in [
            ("idle", idle),
            ("used", i64::from(pool.size()) - idle),
            ("most", i64::from(pool.options().get_max_connections())),
        ] {
            self.connections.get_or_create(&[("state", state)]).set(count.max(0));
        }
        self.look_at_reader();
        up
    }

    fn look_at_reader(&self) {
        let Some(reader) = &self.reader else { return };
        self.reader_used.get_or_create(&[]).set(i64::from(reader.pool().is_some()));
        match reader.lag() {
            Some(lag) => {
                self.reader_lag_s.get_or_create(&[]).set(lag.as_secs_f64());
            }
            None => self.reader_lag_s.clear(),
        }
    }
}

async fn ask(pool: &PgPool) -> accelbench_store::Result<()> {
    status::answers(&mut *pool.acquire().await?).await
}
