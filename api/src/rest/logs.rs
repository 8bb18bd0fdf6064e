//! The logs that were kept with a run.

use accelbench_store::logs::{self, LogSource};
use axum::extract::{Path, State};

use crate::app::App;
use crate::body::PathRun;
use crate::error::ApiError;

pub(crate) async fn show(
    State(app): State<App>,
    PathRun(run_id): PathRun,
    Path((_, source)): Path<(String, String)>,
) -> Result<String, ApiError> {
    let unknown = || ApiError::not_found("log", &source).with_hint("ask for `engine` or `loadgen`");
    let source = LogSource::from_word(&source).ok_or_else(unknown)?;
    let log = logs::find(&mut *app.connection().await?, run_id, source).await?;
    log.map(|log| log.content).ok_or_else(|| {
        ApiError::not_found("log", source.as_str()).with_hint("logs are kept when the run has ended")
    })
}
