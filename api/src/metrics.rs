//! Metrics for Prometheus, on a port of their own: what they tell (what is spent, who waits) is nothing for everybody who
//! may see the pages, and a scrape must not wait behind them.

use std::sync::Arc;

use accelbench_store::PgPool;
use accelbench_store::pool::Reader;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::serve::serve as serve_listener;
use axum::{Json, Router};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::net::TcpListener;

use self::database::DatabaseMetrics;
use crate::app::Error;

mod database;
mod http;
mod installation;

pub use http::HttpMetrics;
pub(crate) use http::observe;
pub use installation::InstallationMetrics;

/// Before every name.
const PREFIX: &str = "accelbench";

/// The content type of what [`encode`] writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a process shows on its metrics port.
pub struct Metrics {
    registry: Registry,
    pool: PgPool,
    database: DatabaseMetrics,
    installation: Option<InstallationMetrics>,
    lives: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Metrics {
    /// The metrics that every part has.
    #[must_use]
    pub fn new(pool: PgPool, version: &'static str) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("build", "The release", Info::new([("version", version)]));
        let database = DatabaseMetrics::default();
        database.register(&mut registry);
        Self { registry, pool, database, installation: None, lives: Box::new(|| true) }
    }

    /// Adds metrics of a part.
    #[must_use]
    pub fn with(mut self, register: impl FnOnce(&mut Registry)) -> Self {
        register(&mut self.registry);
        self
    }

    /// Adds what the database knows of the whole installation, read at each scrape.
    #[must_use]
    pub fn with_installation(mut self) -> Self {
        let installation = InstallationMetrics::default();
        installation.register(&mut self.registry);
        self.installation = Some(installation);
        self
    }

    /// Adds how far the reader of the database is behind.
    #[must_use]
    pub fn with_reader(mut self, reader: Option<Reader>) -> Self {
        self.database.reader = reader;
        self
    }

    /// Lets `/healthz` say whether the process is to be left alone.
    #[must_use]
    pub fn with_health(mut self, lives: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.lives = Box::new(lives);
        self
    }

    async fn text(&self) -> Result<String, std::fmt::Error> {
        self.database.look(&self.pool).await;
        if let Some(installation) = &self.installation {
            installation.look(&self.pool).await;
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Every address of the metrics port.
pub fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .with_state(Arc::new(metrics))
}

/// Serves the metrics port until `shutdown` resolves.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    metrics: Metrics,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    Ok(serve_listener(listener, router(metrics)).with_graceful_shutdown(shutdown).await?)
}

async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            refused(StatusCode::INTERNAL_SERVER_ERROR, &format!("metrics cannot be written: {error}"))
        }
    }
}

async fn health(State(metrics): State<Arc<Metrics>>) -> Response {
    if (metrics.lives)() {
        "ok\n".into_response()
    } else {
        refused(StatusCode::SERVICE_UNAVAILABLE, "this process has not come round for too long; restart it")
    }
}

/// Ready means that the database answers.
async fn ready(State(metrics): State<Arc<Metrics>>) -> Response {
    if metrics.database.look(&metrics.pool).await {
        "ready\n".into_response()
    } else {
        refused(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
    }
}

fn refused(status: StatusCode, detail: &str) -> Response {
    (status, Json(json!({"title": status.canonical_reason(), "detail": detail}))).into_response()
}
