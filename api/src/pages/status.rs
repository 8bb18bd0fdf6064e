//! How the installation is doing: workers, queue, prices, versions.

use accelbench_core::engine::EngineName;
use accelbench_core::run::{Phase, PlatformSpec};
use accelbench_store::prices::{self, Look};
use accelbench_store::status::{self, Status};
use accelbench_store::{engines, platforms};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use chrono::TimeDelta;

use super::frame::{Frame, Section};
use crate::app::App;
use crate::error::ApiError;
use crate::html as filters;

#[derive(Template, WebTemplate)]
#[template(path = "status/index.html")]
pub(crate) struct StatusPage {
    frame: Frame,
    status: Status,
    engines: Vec<String>,
    kubernetes: bool,
    looks: Vec<Look>,
}

pub(crate) async fn show(State(app): State<App>) -> Result<StatusPage, ApiError> {
    let mut connection = app.connection().await?;
    let cluster = PlatformSpec::Kubernetes { engine: EngineName::vllm() };
    Ok(StatusPage {
        frame: Frame::load(&mut connection, Section::Status).await?,
        status: status::summary(&mut connection).await?,
        engines: engines::names(&mut connection).await?,
        kubernetes: platforms::is_offered(&mut connection, &cluster).await?,
        looks: prices::last_looks(&mut connection).await?,
    })
}

impl StatusPage {
    /// What is wrong, with what to do about it.
    fn troubles(&self) -> Vec<&'static str> {
        let waits = self.status.oldest_queued_s.is_some();
        let troubles = [
            (
                self.status.workers_alive == 0 && waits,
                "Runs wait and no worker is alive: start one with `accelbench worker`.",
            ),
            (
                self.status.workers_alive == 0 && !waits,
                "No worker is alive: a run that is submitted now waits until one is.",
            ),
            (
                self.status.parked > 0,
                "Some runs are parked because their teardown keeps failing: open them, see why, and re-queue them.",
            ),
            (
                self.looks.iter().any(|look| look.error.is_some()),
                "The last look at a price list failed: see below.",
            ),
        ];
        troubles.into_iter().filter_map(|(is_so, words)| is_so.then_some(words)).collect()
    }

    fn in_phase(&self, phase: &str) -> i64 {
        self.status.runs_by_phase.get(phase).copied().unwrap_or_default()
    }

    fn oldest_queued(&self) -> Option<TimeDelta> {
        self.status.oldest_queued_s.map(|seconds| TimeDelta::milliseconds((seconds * 1000.0) as i64))
    }
}
