//! The site map on one screen, and serving it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use accelbench_store::notifications::RunNotifications;
use accelbench_store::pool::Reader;
use accelbench_store::secrets::SecretKey;
use accelbench_store::{PgPool, PooledConnection};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state, map_request};
use axum::routing::{get, post};
use axum::serve::{ListenerExt as _, serve as serve_listener};
use chrono::Utc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

use crate::error::ApiError;
use crate::hub::HubAccess;
use crate::limits::{self, Limits};
use crate::metrics::{self, HttpMetrics};
use crate::options::ApiOptions;
use crate::{assets, pages, rest, security};

/// What every handler may use.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    secret_key: SecretKey,
    notifications: RunNotifications,
    hub: HubAccess,
    http_metrics: HttpMetrics,
    reader: OnceLock<Reader>,
    options: ApiOptions,
    /// Tells open streams that the server ends.
    stopping: watch::Sender<bool>,
}

/// How long requests that are under way may take when the server is told to end.
const GRACE: Duration = Duration::from_secs(10);

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
#[error("the server cannot serve")]
pub struct Error(#[from] std::io::Error);

impl App {
    /// Puts the server's parts together.
    #[must_use]
    pub fn new(
        pool: PgPool,
        secret_key: SecretKey,
        notifications: RunNotifications,
        options: ApiOptions,
    ) -> Self {
        let stopping = watch::Sender::new(false);
        let hub = HubAccess::of(&options);
        let http_metrics = HttpMetrics::default();
        let reader = OnceLock::new();
        Self {
            inner: Arc::new(Inner {
                pool,
                secret_key,
                notifications,
                hub,
                http_metrics,
                reader,
                options,
                stopping,
            }),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    pub(crate) fn secret_key(&self) -> &SecretKey {
        &self.inner.secret_key
    }

    /// The token of a form that is drawn now.
    pub(crate) fn form_token(&self) -> String {
        self.inner.secret_key.form_token(Utc::now())
    }

    pub(crate) fn notifications(&self) -> &RunNotifications {
        &self.inner.notifications
    }

    pub(crate) fn hub(&self) -> &HubAccess {
        &self.inner.hub
    }

    /// How long its answers take; shared, so that it may be shown while the server serves.
    #[must_use]
    pub fn http_metrics(&self) -> &HttpMetrics {
        &self.inner.http_metrics
    }

    /// The region of the cluster.
    pub(crate) fn region(&self) -> &str {
        &self.inner.options.region
    }

    pub(crate) fn max_dataset_bytes(&self) -> usize {
        self.inner.options.max_dataset_mib as usize * 1024 * 1024
    }

    fn max_body_bytes(&self) -> usize {
        self.inner.options.max_body_kib as usize * 1024
    }

    /// Resolves when the server is told to end.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.inner.stopping.subscribe();
        // The sender lives as long as the app, which is held here.
        let _ = stopping.wait_for(|&stopping| stopping).await;
    }

    /// Lets the catalog be read from a reader while it answers and is hardly behind; the first one that is given stays.
    pub fn read_catalog_from(&self, reader: Reader) {
        let _ = self.inner.reader.set(reader);
    }

    /// The reader, if there is one.
    #[must_use]
    pub fn reader(&self) -> Option<&Reader> {
        self.inner.reader.get()
    }

    /// A connection for a request that only reads, and may read what was so some seconds ago.
    pub(crate) async fn reading_connection(&self) -> Result<PooledConnection, ApiError> {
        if let Some(pool) = self.reader().and_then(Reader::pool) {
            match pool.acquire().await {
                Ok(connection) => return Ok(connection),
                Err(error) => tracing::warn!(error = %error, "the reader of the database does not answer"),
            }
        }
        self.connection().await
    }

    /// A connection for one request.
    pub(crate) async fn connection(&self) -> Result<PooledConnection, ApiError> {
        self.inner.pool.acquire().await.map_err(|error| accelbench_store::Error::from(error).into())
    }
}

/// Every address of the server.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(rest::addresses(app.max_dataset_bytes()))
        .nest("/api/v1/intake/{run_id}", rest::intake())
        .merge(pages(app.max_dataset_bytes()))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.max_body_bytes()))
        .layer(from_fn_with_state(Limits::of(&app.inner.options), limits::limit))
        .layer(from_fn(security::guard))
        // Streams of events are left alone: they would wait for more to compress.
        .layer(CompressionLayer::new())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http().make_span_with(security::span))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(map_request(security::believable_request_id))
        .layer(from_fn_with_state(app.clone(), metrics::observe))
        .with_state(app)
}

/// What people look at.
fn pages(max_dataset_bytes: usize) -> Router<App> {
    // The form of a new run may bring a dataset.
    let with_file = DefaultBodyLimit::max(max_dataset_bytes + 64 * 1024);
    Router::new()
        .route("/", get(pages::home::show))
        .route("/runs", get(pages::runs::list).post(pages::new_run::submit).layer(with_file))
        .route("/catalog", get(pages::catalog::measured))
        .route("/published", get(pages::catalog::published))
        .route("/methodology", get(pages::methodology::show))
        .route("/results/{result_id}", get(pages::result::show))
        .route("/published/{id}", get(pages::published::show))
        .route("/api/docs", get(pages::docs::show))
        .route("/compare", get(pages::compare::show))
        .route("/compare/{form}", get(pages::compare::export))
        .route("/instances", get(pages::instances::list))
        .route("/instances/{instance_type}", get(pages::instance::show))
        .route("/status", get(pages::status::show))
        .route("/models", get(pages::models::list))
        .route("/models/{*model}", get(pages::model::show))
        .route("/runs/new", get(pages::new_run::show))
        .route("/runs/check", post(pages::new_run::check).layer(with_file))
        .route("/runs/{run_id}", get(pages::run::show))
        .route("/runs/{run_id}/live", get(pages::run::live))
        .route("/runs/{run_id}/cancel", post(pages::run::cancel))
        .route("/runs/{run_id}/requeue", post(pages::run::requeue))
        .route("/runs/{run_id}/retry", post(pages::run::retry))
        .route("/static/{name}", get(assets::show))
        .route("/llms.txt", get(async || include_str!("../../static/llms.txt")))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(rest::reference::ready))
}

/// Serves until `shutdown` resolves; open streams are ended then, and other requests are waited for a little.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let stopping = app.inner.stopping.clone();
    // Events are small: they must not wait for more.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let mut stopped = stopping.subscribe();
    let told = async move {
        shutdown.await;
        stopping.send_replace(true);
    };
    let out_of_patience = async move {
        let _ = stopped.wait_for(|&stopping| stopping).await;
        sleep(GRACE).await;
    };
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = serve_listener(listener, service).with_graceful_shutdown(told) => Ok(served?),
        () = out_of_patience => Ok(()),
    }
}

async fn not_found(uri: Uri) -> ApiError {
    ApiError::not_found("page", uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::wrong_method(&method, uri.path())
}
