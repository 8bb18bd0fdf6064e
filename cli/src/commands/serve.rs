//! `accelbench serve`: the web pages and the REST API.

use accelbench_api::{ApiOptions, App};
use accelbench_store::notifications::RunNotifications;
use accelbench_store::secrets::SecretKey;
use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use crate::database::{DatabaseOptions, ReaderOptions};
use crate::metrics::{MetricsOptions, of_process};
use crate::shutdown;

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    reader: ReaderOptions,
    #[command(flatten)]
    api: ApiOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

pub(crate) async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let pool = options.database.connect().await?;
    let listener = listen(&options.api).await?;
    let notifications = RunNotifications::listen(pool.clone());
    tracing::info!(address = %listener.local_addr()?, "the server listens");
    let app = App::new(pool.clone(), secret_key_from_environment()?, notifications, options.api);
    if let Some(reader) = options.database.reader(&options.reader, &pool).await? {
        app.read_catalog_from(reader);
    }
    let reader = app.reader().cloned();
    let requests = app.http_metrics().clone();
    let metrics = || {
        of_process(pool).with_installation().with_reader(reader).with(|registry| requests.register(registry))
    };
    options.metrics.show(metrics).await?;
    accelbench_api::serve(app, listener, shutdown::wait()).await?;
    Ok(())
}

/// Opens the server's port.
pub(crate) async fn listen(options: &ApiOptions) -> anyhow::Result<TcpListener> {
    TcpListener::bind(options.bind)
        .await
        .with_context(|| format!("{} cannot be listened on; name another address with --bind", options.bind))
}

/// The key that all servers and workers of an installation share.
pub(crate) fn secret_key_from_environment() -> anyhow::Result<SecretKey> {
    let text = std::env::var("ACCELBENCH_SECRET_KEY")
        .context("ACCELBENCH_SECRET_KEY is not set; make a key once with `openssl rand -hex 32` and give it to every server and worker")?;
    Ok(SecretKey::from_text(text.trim())?)
}
