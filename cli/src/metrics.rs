//! The metrics port of a service, where the operator wants one.

use std::net::SocketAddr;

use accelbench_api::metrics::{self, Metrics};
use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

/// Where metrics are shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct MetricsOptions {
    /// Address to show metrics for Prometheus on, at /metrics, with /healthz and /readyz beside them; without it there are
    /// none. They tell what is spent: keep it private
    #[arg(long, env = "ACCELBENCH_METRICS_BIND", value_name = "ADDRESS")]
    metrics_bind: Option<SocketAddr>,
}

impl MetricsOptions {
    /// Begins to show what `metrics` makes, until the process ends.
    pub(crate) async fn show(&self, metrics: impl FnOnce() -> Metrics) -> anyhow::Result<()> {
        let Some(address) = self.metrics_bind else { return Ok(()) };
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("{address} cannot be listened on for metrics; name another address with --metrics-bind")
        })?;
        tracing::info!(address = %listener.local_addr()?, "metrics are shown");
        let metrics = metrics();
        tokio::spawn(async move {
            // Whoever only measures must not end what is measured.
            if let Err(error) = metrics::serve(metrics, listener, std::future::pending()).await {
                tracing::error!(error = format!("{error:#}"), "metrics are not shown any more");
            }
        });
        Ok(())
    }
}

/// The metrics that every service has.
pub(crate) fn of_process(pool: accelbench_store::PgPool) -> Metrics {
    Metrics::new(pool, env!("CARGO_PKG_VERSION"))
}
