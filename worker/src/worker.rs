//! A worker process: its handles, and the loops that it runs until it is told to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use accelbench_core::engine::EngineName;
use accelbench_hub::HubOptions;
use accelbench_store::notifications::RunNotifications;
use accelbench_store::queue::{POLL_INTERVAL, RUNS, SCHEDULES, ScheduledJob, Tick, storage};
use accelbench_store::secrets::SecretKey;
use accelbench_store::{PgPool, engines, platforms};
use anyhow::Context as _;
use apalis::layers::WorkerBuilderExt as _;
use apalis::prelude::{BackendExt as _, Monitor, WorkerBuilder};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::metrics::WorkerMetrics;
use crate::options::{CatalogOptions, OfferedCommand, PriceOptions, WorkerOptions};
use crate::platform::kubernetes::{KubernetesOptions, KubernetesPlatform};
use crate::platform::{Platform, Platforms};
use crate::pulse::Pulse;
use crate::{jobs, reaper, schedules, tick};

/// What every tick and job of this process may use.
pub struct Worker {
    pub(crate) pool: PgPool,
    pub(crate) notifications: RunNotifications,
    pub(crate) platforms: Platforms,
    pub(crate) secret_key: SecretKey,
    pub(crate) api_url: Url,
    pub(crate) prices: PriceOptions,
    pub(crate) catalog: CatalogOptions,
    pub(crate) hub: HubOptions,
    pub(crate) metrics: WorkerMetrics,
    pub(crate) pulse: Pulse,
    /// Unique for each start: a name that came back would keep a dead worker's jobs alive.
    pub(crate) name: String,
    /// Set when the process shall end: ticks in hand give their run back.
    pub(crate) stopping: CancellationToken,
}

impl Worker {
    /// Prepares a worker; nothing runs yet.
    ///
    /// # Errors
    /// When the state folder cannot be made, this program cannot be found, or the cluster that the operator names cannot
    /// be connected to.
    pub async fn new(options: &WorkerOptions, pool: PgPool, secret_key: SecretKey) -> anyhow::Result<Self> {
        let program: PathBuf = match &options.program {
            Some(program) => program.clone(),
            None => std::env::current_exe().context("the path of this program cannot be found")?,
        };
        let platforms = Platforms::new(options.state_dir.clone(), program)
            .with_context(|| format!("the state folder {} cannot be used", options.state_dir.display()))?;
        let name = format!("worker-{}", Uuid::now_v7());
        let platforms = match &options.kubernetes {
            Some(settings) => platforms.with_kubernetes(Arc::new(cluster(settings, &name).await?)),
            None => platforms,
        };
        Ok(Self {
            notifications: RunNotifications::listen(pool.clone()),
            platforms,
            secret_key,
            api_url: options.api_url.clone(),
            prices: options.prices.clone(),
            catalog: options.catalog.clone(),
            hub: options.hub.clone(),
            metrics: WorkerMetrics::default(),
            pulse: Pulse::default(),
            name,
            stopping: CancellationToken::new(),
            pool,
        })
    }

    /// What it counts; shared, so that it may be shown while the worker works.
    #[must_use]
    pub fn metrics(&self) -> WorkerMetrics {
        self.metrics.clone()
    }

    /// Whether it comes round, for a probe.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// The same worker with each of its platforms behind what `wrap` makes of it.
    #[must_use]
    pub fn with_platforms(mut self, wrap: impl Fn(Arc<dyn Platform>) -> Arc<dyn Platform>) -> Self {
        self.platforms = self.platforms.wrapped(wrap);
        self
    }
}

/// Works until `shutdown` resolves; then finishes the ticks in hand and leaves the runs to other workers.
///
/// # Errors
/// When the database cannot be reached at the start, or the queue breaks beyond repair.
pub async fn run(
    worker: Worker,
    options: WorkerOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let worker = Arc::new(worker);
    offer_engines(&worker.pool, &options.engines).await?;
    if options.kubernetes.is_some() {
        let mut connection = worker.pool.acquire().await.context("the database cannot be reached")?;
        platforms::offer_kubernetes(&mut connection).await?;
    }
    let background =
        [tokio::spawn(schedules::keep(Arc::clone(&worker))), tokio::spawn(reaper::keep(Arc::clone(&worker)))];
    let stopping = worker.stopping.clone();
    let signal = async move {
        shutdown.await;
        stopping.cancel();
        Ok(())
    };
    tracing::info!(worker.name = worker.name, "worker started");
    let ended = monitor(Arc::clone(&worker), usize::from(options.concurrency)).run_with_signal(signal).await;
    worker.stopping.cancel();
    for task in background {
        // A loop that panicked has been logged by its own panic; there is nothing left to do for it.
        let _ = task.await;
    }
    tracing::info!(worker.name = worker.name, "worker stopped");
    ended.context("the queue's workers ended")
}

/// The cluster that the operator's settings in `file` are for.
async fn cluster(file: &Path, holder: &str) -> anyhow::Result<KubernetesPlatform> {
    KubernetesPlatform::connect(KubernetesOptions::read(file)?, holder.to_owned())
        .await
        .context("there is no cluster: neither does this process run in one, nor is there a kubeconfig")
}

fn monitor(worker: Arc<Worker>, concurrency: usize) -> Monitor {
    let ticks = Arc::clone(&worker);
    Monitor::new()
        .register(move |restarts| {
            let backend =
                storage::<Tick>(&ticks.pool, RUNS).with_pubsub().poll_with_interval(POLL_INTERVAL);
            WorkerBuilder::new(format!("{}-{RUNS}-{restarts}-{}", ticks.name, Uuid::now_v7()))
                .backend(backend)
                .data(Arc::clone(&ticks))
                .concurrency(concurrency)
                .catch_panic()
                .build(tick::handle)
        })
        .register(move |restarts| {
            let backend =
                storage::<ScheduledJob>(&worker.pool, SCHEDULES).with_pubsub().poll_with_interval(POLL_INTERVAL);
            WorkerBuilder::new(format!("{}-{SCHEDULES}-{restarts}-{}", worker.name, Uuid::now_v7()))
                .backend(backend)
                .data(Arc::clone(&worker))
                .concurrency(2)
                .catch_panic()
                .build(jobs::handle)
        })
        .should_restart(|context, error| {
            tracing::warn!(queue.worker = context.name(), error = %error, "a queue worker broke off and is restarted");
            true
        })
        .shutdown_timeout(Duration::from_secs(20))
}

/// Tells the database which engines this installation's workers can start.
async fn offer_engines(pool: &PgPool, offered: &[OfferedCommand]) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await.context("the database cannot be reached")?;
    let simulator = ["accelbench".to_owned(), "simulate".to_owned()];
    engines::offer(&mut connection, &EngineName::simulator(), &simulator).await?;
    if let Some(vllm) = vllm_on_path()? {
        engines::offer(&mut connection, &vllm.engine, &vllm.command).await?;
    }
    for offer in offered {
        engines::offer(&mut connection, &offer.engine, &offer.command).await?;
    }
    Ok(())
}

/// vLLM as it is found on this machine. Prefix caching is off: a benchmark must not be answered from a cache.
fn vllm_on_path() -> anyhow::Result<Option<OfferedCommand>> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let Some(program) =
        std::env::split_paths(&paths).map(|path| path.join("vllm")).find(|path| path.is_file())
    else {
        return Ok(None);
    };
    let arguments = [
        "serve",
        "{model}",
        "--revision",
        "{revision}",
        "--host",
        "{host}",
        "--port",
        "{port}",
        "--tensor-parallel-size",
        "{tensor_parallel}",
        "--no-enable-prefix-caching",
    ];
    let command = std::iter::once(program.to_string_lossy().into_owned()).chain(arguments.map(str::to_owned));
    Ok(Some(OfferedCommand { engine: "vllm".parse()?, command: command.collect() }))
}
