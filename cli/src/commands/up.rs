//! `accelbench up`: the whole of AccelBench in one process on this machine, with a database of its own unless
//! `DATABASE_URL` names one. Ctrl-C ends it and everything it started.

use std::path::PathBuf;
use std::process;
use std::time::Duration;

use accelbench_api::{ApiOptions, App};
use accelbench_embedded_postgres::{Cluster, ClusterOptions, Installation};
use accelbench_store::notifications::RunNotifications;
use accelbench_store::{PgPool, seed};
use accelbench_worker::options::OfferedCommand;
use accelbench_worker::{CatalogOptions, PriceOptions, Worker, WorkerOptions};
use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::serve::{listen, secret_key_from_environment};
use crate::home::{Home, Running};
use crate::metrics::{MetricsOptions, of_process};
use crate::output::notice;
use crate::shutdown;

mod farewell;

#[derive(Debug, Args)]
pub(crate) struct UpOptions {
    /// Folder for the database and everything else that is kept
    #[arg(long, env = "ACCELBENCH_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// A PostgreSQL database to use instead of a private one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// An engine that runs may name: its name and the command that starts it, with {host}, {port}, {model},
    /// {revision} and {tensor_parallel} filled in; may be given several times
    #[arg(long = "engine", env = "ACCELBENCH_ENGINES", value_name = "NAME=COMMAND", value_delimiter = '\n', value_parser = accelbench_worker::options::parse_engine)]
    engines: Vec<OfferedCommand>,
    /// A cluster for runs on Kubernetes, as for `accelbench worker`
    #[arg(long, env = "ACCELBENCH_KUBERNETES", value_name = "FILE")]
    kubernetes: Option<PathBuf>,
    #[command(flatten)]
    prices: PriceOptions,
    #[command(flatten)]
    catalog: CatalogOptions,
    #[command(flatten)]
    api: ApiOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

pub(crate) async fn up(options: UpOptions) -> anyhow::Result<()> {
    let home = Home::open(options.data_dir.clone())?;
    let Some(_lock) = home.try_lock()? else { return already_running(&home) };
    let listener = listen(&options.api).await?;
    let (cluster, database_url) = database(&home, options.database_url.as_deref()).await?;
    let outcome = serve(&home, options, listener, &database_url).await;
    home.clear_running();
    if let Some(cluster) = cluster {
        cluster.stop().await?;
    }
    outcome?;
    notice("AccelBench is down");
    Ok(())
}

async fn serve(
    home: &Home,
    options: UpOptions,
    listener: TcpListener,
    database_url: &str,
) -> anyhow::Result<()> {
    let pool = accelbench_store::connect(database_url, 30).await.context("the database cannot be reached")?;
    accelbench_store::migrate(&pool).await?;
    seed::seed(&pool).await?;
    let key = match std::env::var_os("ACCELBENCH_SECRET_KEY") {
        Some(_) => secret_key_from_environment()?,
        None => home.secret_key()?,
    };
    let url = format!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let hub = options.api.hub.clone();
    let app = App::new(pool.clone(), key.clone(), RunNotifications::listen(pool.clone()), options.api);
    let requests = app.http_metrics().clone();
    let api_stop = stop.clone();
    let api = tokio::spawn(async move {
        accelbench_api::serve(app, listener, async move { api_stop.cancelled().await })
            .await
            .context("the server ended")
    });
    let worker_options = WorkerOptions {
        api_url: Url::parse(&url)?,
        state_dir: home.path("worker"),
        concurrency: 8,
        engines: options.engines,
        kubernetes: options.kubernetes,
        prices: options.prices,
        catalog: options.catalog,
        hub,
        program: None,
    };
    let worker = Worker::new(&worker_options, pool.clone(), key).await?;
    let (counters, pulse) = (worker.metrics(), worker.pulse());
    let metrics = || {
        let parts = of_process(pool.clone()).with_installation().with_health(move || pulse.beats());
        parts.with(|registry| requests.register(registry)).with(|registry| counters.register(registry))
    };
    options.metrics.show(metrics).await?;
    let worker = start_worker(worker, worker_options, stop.clone());
    home.write_running(&Running { pid: process::id().cast_signed(), url: url.clone() })?;
    notice(&format!("AccelBench is up at {url}\nstop it with Ctrl-C or `accelbench down`"));
    wait(&pool, stop, api, worker).await
}

fn start_worker(
    worker: Worker,
    options: WorkerOptions,
    stop: CancellationToken,
) -> JoinHandle<anyhow::Result<()>> {
    let stopped = async move { stop.cancelled().await };
    tokio::spawn(accelbench_worker::run(worker, options, stopped))
}

/// Waits for the end: asked for, or because a part broke off. Local runs end first, while everything still works.
async fn wait(
    pool: &PgPool,
    stop: CancellationToken,
    mut api: JoinHandle<anyhow::Result<()>>,
    mut worker: JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let broken = tokio::select! {
        asked = shutdown::requested() => asked.err(),
        ended = &mut api => Some(early_end("server", ended)),
        ended = &mut worker => Some(early_end("worker", ended)),
    };
    if broken.is_none() {
        farewell::end_local_runs(pool).await;
    }
    stop.cancel();
    let ends = async {
        for part in [api, worker].iter_mut().filter(|part| !part.is_finished()) {
            // How a part ends that was told to end has been logged by itself.
            let _ = part.await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(30), ends).await.is_err() {
        notice("a part did not end within 30 s and is left behind");
    }
    pool.close().await;
    broken.map_or(Ok(()), Err)
}

fn early_end(part: &str, ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Error {
    match ended {
        Ok(Ok(())) => anyhow::anyhow!("the {part} ended before its time"),
        Ok(Err(error)) => error,
        Err(error) => anyhow::anyhow!("the {part} broke off: {error}"),
    }
}

/// The database: the one that is named, or a private cluster.
async fn database(home: &Home, named: Option<&str>) -> anyhow::Result<(Option<Cluster>, String)> {
    if let Some(url) = named {
        return Ok((None, url.to_owned()));
    }
    let folder = home.path("postgres");
    let installation = Installation::obtain(&folder).await?;
    let cluster = Cluster::start(&installation, &ClusterOptions::new(&folder)).await?;
    let url = cluster.database_url();
    Ok((Some(cluster), url))
}

fn already_running(home: &Home) -> anyhow::Result<()> {
    match home.running() {
        Some(Running { pid, url }) => {
            notice(&format!(
                "AccelBench is already up at {url} (process {pid}); stop it with `accelbench down`"
            ));
            Ok(())
        }
        None => bail!(
            "another `accelbench up` is starting or ending in {}; wait a moment, or name another folder with --data-dir",
            home.folder().display()
        ),
    }
}
