//! The least that a queue on PostgreSQL needs: a table, SKIP LOCKED and NOTIFY. No heartbeat, no rescue, no priorities.

use std::time::{Duration, Instant};

use accelbench_store::PgPool;
use futures::future::join_all;
use sqlx::postgres::PgListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::CONCURRENCY;

const TABLE: &str = "CREATE TABLE bench_jobs (
        job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint NOT NULL, done_at timestamptz, taken_at timestamptz);
    CREATE INDEX bench_jobs_open ON bench_jobs (job_id) WHERE taken_at IS NULL;";

const TAKE: &str = "UPDATE bench_jobs SET taken_at = now() WHERE job_id = (
        SELECT job_id FROM bench_jobs WHERE taken_at IS NULL ORDER BY job_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING job_id, number";

pub(super) struct Running {
    pub(super) taken: UnboundedReceiver<(u64, Instant)>,
    worker: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

pub(super) async fn push(pool: &PgPool, number: u64) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query("INSERT INTO bench_jobs (number) VALUES ($1)")
        .bind(number.cast_signed())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("SELECT pg_notify('bench_jobs', '')").execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn start(pool: &PgPool) -> anyhow::Result<Running> {
    sqlx::raw_sql(TABLE).execute(pool).await?;
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("bench_jobs").await?;
    let (tell, taken) = unbounded_channel();
    let pool = pool.clone();
    let worker = tokio::spawn(async move {
        let (wake, woken) = watch::channel(());
        let slots = join_all((0..CONCURRENCY).map(|_| work(&pool, &tell, woken.clone())));
        let listening = async {
            while listener.recv().await.is_ok() {
                wake.send_replace(());
            }
        };
        tokio::join!(slots, listening);
    });
    Ok(Running { taken, worker })
}

async fn work(pool: &PgPool, tell: &UnboundedSender<(u64, Instant)>, mut woken: watch::Receiver<()>) {
    loop {
        woken.mark_unchanged();
        match sqlx::query_as::<_, (i64, i64)>(TAKE).fetch_optional(pool).await {
            Ok(Some((job_id, number))) => {
                // Nobody listens any more at the end.
                let _ = tell.send((number.cast_unsigned(), Instant::now()));
                let done = "UPDATE bench_jobs SET done_at = now() WHERE job_id = $1";
                // Whether it is noted changes nothing that is measured afterwards.
                let _ = sqlx::query(done).bind(job_id).execute(pool).await;
            }
            Ok(None) => {
                // A wake-up, or a look by the clock.
                let _ = tokio::time::timeout(Duration::from_millis(500), woken.changed()).await;
            }
            Err(_) => return,
        }
    }
}
