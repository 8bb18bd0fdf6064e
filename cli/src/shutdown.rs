//! The signals that end a service.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first Ctrl-C or SIGTERM after it is called.
pub(crate) async fn requested() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// As [`requested`], for callers that cannot fail: without signal handlers it never resolves.
pub(crate) async fn wait() {
    if let Err(error) = requested().await {
        tracing::error!(
            error = format!("{error:#}"),
            "signals cannot be received; end the process to stop it"
        );
        std::future::pending::<()>().await;
    }
}
