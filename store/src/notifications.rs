//! "Something about run R changed": one listening connection a process, shared by everybody who waits. A notification
//! may be missed while the database is away, so whoever waits also looks by itself from time to time.

use std::time::Duration;

use accelbench_core::run::RunId;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// The shared listener. Dropping it ends the listening.
#[derive(Debug)]
pub struct RunNotifications {
    sender: broadcast::Sender<RunId>,
    listening: JoinHandle<()>,
}

impl RunNotifications {
    /// Starts to listen, on a connection of `pool` that is kept for it.
    #[must_use]
    pub fn listen(pool: PgPool) -> Self {
        let (sender, _) = broadcast::channel(1024);
        let listening = tokio::spawn(listen_forever(pool, sender.clone()));
        Self { sender, listening }
    }

    /// Receives the id of each run that changes from now on. A receiver that lags behind is told so and should look
    /// at its run.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<RunId> {
        self.sender.subscribe()
    }
}

impl Drop for RunNotifications {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Waits until a notification about `run_id` arrives, or until one may have been missed.
pub async fn changed(receiver: &mut broadcast::Receiver<RunId>, run_id: RunId) {
    loop {
        match receiver.recv().await {
            Ok(changed) if changed == run_id => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            // The listener is gone, so that nothing will ever arrive; the caller's own time limit decides.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn listen_forever(pool: PgPool, sender: broadcast::Sender<RunId>) {
    loop {
        if let Err(error) = listen_once(&pool, &sender).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "listening for run changes broke off");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn listen_once(pool: &PgPool, sender: &broadcast::Sender<RunId>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("accelbench_runs").await?;
    loop {
        let notification = listener.recv().await?;
        if let Ok(run_id) = notification.payload().parse() {
            // Nobody listening is no error.
            let _ = sender.send(run_id);
        }
    }
}
