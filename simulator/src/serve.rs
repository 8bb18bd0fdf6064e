//! Life of the simulator: listen, serve, die when asked to.

use std::future::Future;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time;

use crate::clock::EngineHandle;
use crate::engine::{Batching, Engine, KvCache, Limits};
use crate::server::{Simulator, router};
use crate::{Error, SimulatorOptions, Timing};

/// How long connections may take to close after a shutdown.
const CLOSING_GRACE: Duration = Duration::from_secs(1);

/// Checks the options, lays the model into the memory and listens on the address.
///
/// # Errors
/// [`Error::Option`], [`Error::WeightsDoNotFit`], [`Error::ContextDoesNotFit`] or [`Error::Listen`].
pub async fn bind(options: &SimulatorOptions) -> Result<TcpListener, Error> {
    build_engine(options)?;
    TcpListener::bind((options.host.as_str(), options.port))
        .await
        .map_err(|source| Error::Listen { address: format!("{}:{}", options.host, options.port), source })
}

/// Serves until `shutdown` is ready; then cuts what still streams and returns within about a second.
///
/// # Errors
/// Those of [`bind`] but `Listen`; [`Error::Died`] when `--exit-after-s` came due, [`Error::Serve`] when the server
/// failed.
pub async fn serve(
    options: SimulatorOptions,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let (engine, max_context) = build_engine(&options)?;
    let engine = StopOnDrop(EngineHandle::start(engine).map_err(Error::Serve)?);
    let exit_after_s = options.faults.exit_after_s;
    let router = router(Simulator::new(options, max_context, engine.0.clone()));
    // Chunks are small and due at once; Nagle's algorithm would hold them back for 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    let (closing, closed) = oneshot::channel();
    let stopping = engine.0.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        stopping.stop();
        let _ = closing.send(());
    });
    let grace_over = async {
        // A server that dropped its shutdown future ends by itself.
        match closed.await {
            Ok(()) => time::sleep(CLOSING_GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        outcome = async { server.await } => outcome.map_err(Error::Serve),
        () = grace_over => Ok(()),
        after_s = death(exit_after_s) => Err(Error::Died { after_s }),
    }
}

/// Ready with the age when `--exit-after-s` comes due.
async fn death(exit_after_s: Option<f64>) -> f64 {
    match exit_after_s {
        Some(after_s) => {
            time::sleep(Duration::from_secs_f64(after_s)).await;
            after_s
        }
        None => std::future::pending().await,
    }
}

/// The engine and its longest context.
fn build_engine(options: &SimulatorOptions) -> Result<(Engine, u32), Error> {
    options.validate()?;
    if options.timing != Timing::Roofline {
        let max_context = options.model_facts.unlimited_max_context();
        return Ok((Engine::Paced(options.paced_engine()), max_context));
    }
    let fit = options.hardware.fit(&options.model_facts)?;
    let limits = Limits {
        max_num_seqs: options.limits.max_num_seqs as usize,
        max_num_batched_tokens: u64::from(options.limits.max_num_batched_tokens),
    };
    let roofline = options.hardware.roofline(&options.model_facts);
    let engine = Batching::new(roofline, limits, KvCache::new(fit.kv_blocks));
    Ok((Engine::Batching(engine), fit.max_context))
}

/// Stops the engine however serving ends, so that no stream outlives it.
struct StopOnDrop(EngineHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
