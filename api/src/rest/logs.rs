//! The logs that were kept with a run.

use accelbench_store::logs::{self, LogSource};
use axum::extract::State;

use crate::address::InAddress;
use crate::app::App;
use crate::body::PathRun;
use crate::error::ApiError;

pub(crate) async fn show(
    State(app): State<App>,
    PathRun(run_id): PathRun,
    InAddress(source): InAddress<LogSource>,
) -> Result<String, ApiError> {
    let log = logs::find(&mut *app.connection().await?, run_id, source).await?;
    log.map(|log| log.content).ok_or_else(|| {
        ApiError::not_found("log", source.as_str()).with_hint("logs are kept when the run has ended")
    })
}
