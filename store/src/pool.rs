//! Pools of connections: to the writer, with a password that may be renewed, and to a reader that may be away or behind.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::log::LevelFilter;

use crate::error::chain;
use crate::{Error, Result};

/// How a pool is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// Most connections.
    pub max_connections: u32,
    /// How many are kept open while nothing is asked.
    pub min_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
}

impl PoolSettings {
    /// A pool of at most so many connections, none of them kept without need, and ten seconds of patience.
    #[must_use]
    pub fn of(max_connections: u32) -> Self {
        Self { max_connections, min_connections: 0, acquire_timeout: Duration::from_secs(10) }
    }
}

/// Connects to the writer at `url`.
///
/// After a failover its name may lead to the old writer for some seconds, which is a reader now or never comes back:
/// such a connection is not taken, and the pool tries again until the patience ends.
///
/// # Errors
/// [`Error::Database`] when no connection can be made in time.
pub async fn connect_writer(url: &str, settings: PoolSettings) -> Result<PgPool> {
    let pool = options_of(settings)
        .after_connect(|connection, _| Box::pin(refuse_reader(connection)))
        .connect_with(connect_options(url)?);
    Ok(pool.await?)
}

/// As [`connect_writer`], with a password of its own and without a first connection.
///
/// # Errors
/// [`Error::Database`] for an address that cannot be read.
pub fn writer_with_password(url: &str, settings: PoolSettings, password: &str) -> Result<PgPool> {
    let options = connect_options(url)?.password(password);
    Ok(options_of(settings)
        .after_connect(|connection, _| Box::pin(refuse_reader(connection)))
        .connect_lazy_with(options))
}

/// Gives new connections another password; those that are open keep theirs.
pub fn renew_password(pool: &PgPool, password: &str) {
    pool.set_connect_options((*pool.connect_options()).clone().password(password));
}

fn options_of(settings: PoolSettings) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .min_connections(settings.min_connections.min(settings.max_connections))
        .acquire_timeout(settings.acquire_timeout)
}

/// A process that is stopped in the middle of a transaction would keep its locks, and with them the run, from
/// everybody else for as long as it sleeps.
///
/// And lists leave filters out by `$1 IS NULL OR ...`, which only a plan for the values at hand can do quickly: one
/// that is kept for all values, as the server makes after five times, reads the whole table.
fn connect_options(url: &str) -> Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(url)?
        .options([("idle_in_transaction_session_timeout", "5s"), ("plan_cache_mode", "force_custom_plan")]))
}

async fn refuse_reader(connection: &mut PgConnection) -> std::result::Result<(), sqlx::Error> {
    let reads_only = sqlx::query_scalar!(r#"SELECT pg_is_in_recovery() AS "reads_only!""#);
    if reads_only.fetch_one(connection).await? {
        let problem = "this is a reader, which takes no changes; give the writer's address";
        return Err(sqlx::Error::Configuration(problem.into()));
    }
    Ok(())
}

/// A reader that is looked at every few seconds. It may be asked while it answers and is hardly behind.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: PgPool,
    state: Arc<ReaderState>,
    _watching: Arc<Watching>,
}

#[derive(Debug)]
struct ReaderState {
    /// How far behind it is, in milliseconds, or [`AWAY`].
    lag_ms: AtomicU64,
    max_lag_ms: u64,
}

#[derive(Debug)]
struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

const AWAY: u64 = u64::MAX;

/// How often a reader is looked at, and how long a look may take.
const LOOK: Duration = Duration::from_secs(2);

impl Reader {
    /// Begins to look at the reader at `url`. It is asked nothing before the first look succeeded.
    ///
    /// # Errors
    /// [`Error::Database`] for an address that cannot be read.
    pub fn watch(url: &str, settings: PoolSettings, max_lag: Duration, writer: PgPool) -> Result<Self> {
        let options = connect_options(url)?.log_statements(LevelFilter::Debug);
        // Nobody waits for a reader: the writer is there.
        let settings = PoolSettings { acquire_timeout: LOOK, ..settings };
        let pool = options_of(settings).connect_lazy_with(options);
        let max_lag_ms = u64::try_from(max_lag.as_millis()).unwrap_or(AWAY - 1);
        let state = Arc::new(ReaderState { lag_ms: AtomicU64::new(AWAY), max_lag_ms });
        let watching = Watching(tokio::spawn(watch(pool.clone(), writer, Arc::clone(&state))));
        Ok(Self { pool, state, _watching: Arc::new(watching) })
    }

    /// Its connections, while it may be asked.
    #[must_use]
    pub fn pool(&self) -> Option<&PgPool> {
        self.lag().filter(|lag| lag.as_millis() <= u128::from(self.state.max_lag_ms)).map(|_| &self.pool)
    }

    /// Its connections whether it may be asked or not, for renewing their password.
    #[must_use]
    pub fn any_pool(&self) -> &PgPool {
        &self.pool
    }

    /// How far it is behind the writer; nothing while it is away.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        let lag_ms = self.state.lag_ms.load(Ordering::Relaxed);
        (lag_ms != AWAY).then(|| Duration::from_millis(lag_ms))
    }
}

async fn watch(reader: PgPool, writer: PgPool, state: Arc<ReaderState>) {
    loop {
        let looked = timeout(LOOK * 2, lag(&reader, &writer)).await;
        let (lag_ms, problem) = match looked {
            Ok(Ok(lag)) => (u64::try_from(lag.num_milliseconds().max(0)).unwrap_or_default(), None),
            Ok(Err(error)) => (AWAY, Some(chain(&error))),
            Err(_elapsed) => (AWAY, Some("it does not answer".to_owned())),
        };
        let usable = |lag_ms: u64| lag_ms <= state.max_lag_ms;
        let before = state.lag_ms.swap(lag_ms, Ordering::Relaxed);
        match (usable(before), usable(lag_ms)) {
            (false, true) => tracing::info!(reader.lag_ms = lag_ms, "the reader of the database is asked"),
            (true, false) => tracing::warn!(
                reader.problem = problem.as_deref().unwrap_or("it is too far behind"),
                "the reader of the database is not asked; the writer is"
            ),
            _ => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What the workers' clock wrote last, on both: no function of one kind of database knows how far another kind is behind.
/// Without a worker nothing is written that a reader could lack.
async fn lag(reader: &PgPool, writer: &PgPool) -> Result<TimeDelta> {
    // The reader first: what is written in between would make it look behind, never ahead.
    let reader = last_tick(&mut *acquire(reader).await?).await?;
    let writer = last_tick(&mut *acquire(writer).await?).await?;
    Ok(match (reader, writer) {
        (_, None) => TimeDelta::zero(),
        (Some(reader), Some(writer)) => writer - reader,
        (None, Some(_)) => TimeDelta::MAX,
    })
}

async fn acquire(pool: &PgPool) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>> {
    pool.acquire().await.map_err(Error::from)
}

async fn last_tick(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    connection.ping().await?;
    let last = sqlx::query_scalar!("SELECT max(due_at) FROM schedule_ticks WHERE schedule = 'sweep'");
    Ok(last.fetch_one(connection).await?)
}
