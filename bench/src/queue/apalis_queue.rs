//! apalis as we use it, and as its documentation would: with a buffer of ten jobs and no look of its own.

use std::time::{Duration, Instant};

use accelbench_store::PgPool;
use accelbench_store::queue::{self, POLL_INTERVAL};
use apalis::layers::WorkerBuilderExt as _;
use apalis::prelude::{BackendExt as _, BoxDynError, Data, Monitor, TaskBuilder, WorkerBuilder};
use apalis_postgres::{Config, PostgresStorage};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::CONCURRENCY;

pub(super) struct Running {
    pub(super) name: &'static str,
    pub(super) taken: UnboundedReceiver<(u64, Instant)>,
    queue: &'static str,
    worker: JoinHandle<()>,
}

impl Running {
    pub(super) async fn push(&self, pool: &PgPool, number: u64) -> anyhow::Result<()> {
        let mut transaction = pool.begin().await?;
        let task = TaskBuilder::new(serde_json::to_vec(&number)?).priority(10).build();
        apalis_postgres::queries::push_tasks(&mut *transaction, self.queue, vec![task]).await?;
        Ok(transaction.commit().await?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

pub(super) fn ours(pool: &PgPool) -> Running {
    let queue = "bench-ours";
    start("ours (apalis, one at a time, NOTIFY)", queue, queue::storage(pool, queue))
}

pub(super) fn buffered(pool: &PgPool) -> Running {
    let queue = "bench-buffered";
    let config = Config::default().queue(queue).batch_size(10).heartbeat_interval(Duration::from_secs(10));
    let storage = PostgresStorage::new(pool).with_config(config);
    start("apalis, ten at a time", queue, storage)
}

fn start(name: &'static str, queue: &'static str, storage: PostgresStorage<u64>) -> Running {
    let (tell, taken) = unbounded_channel();
    let worker = tokio::spawn(async move {
        let backend = move |_restarts| {
            WorkerBuilder::new(format!("{queue}-{}", std::process::id()))
                .backend(storage.clone().with_pubsub().poll_with_interval(POLL_INTERVAL))
                .data(tell.clone())
                .concurrency(CONCURRENCY)
                .build(handle)
        };
        // It is aborted, or the database is gone: then jobs are waited for in vain, and that is said.
        let _ = Monitor::new().register(backend).run().await;
    });
    Running { name, taken, queue, worker }
}

async fn handle(number: u64, tell: Data<UnboundedSender<(u64, Instant)>>) -> Result<(), BoxDynError> {
    // Nobody listens any more at the end.
    let _ = tell.send((number, Instant::now()));
    Ok(())
}
