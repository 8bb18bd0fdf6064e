//! What is to be done next in each phase.

use std::time::Duration;

use accelbench_core::run::{ReadyEndpoint, Run, RunId, Transition, Verdict};
use accelbench_core::secret::HfToken;
use accelbench_store::{Error, PgConnection, engines, instances, models, secrets};
use chrono::{DateTime, Utc};

use super::{Driver, StepError};
use crate::platform::{LoadJob, LoadState, PlatformError, Readiness, RunContext, Teardown};

/// How often a phase is looked at when nobody tells of a change.
const STARTING_INTERVAL: Duration = Duration::from_millis(100);
const LOADING_INTERVAL: Duration = Duration::from_secs(1);
const TEARDOWN_INTERVAL: Duration = Duration::from_millis(50);

/// The next thing to do for a run.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one exists at a time, for the length of one call")]
pub enum Step {
    /// Ask for a place.
    Claim,
    /// Write the results.
    Record,
    /// Move on to the next phase.
    Advance {
        /// What happened.
        transition: Transition,
        /// What the timeline says.
        message: String,
        /// The engine that turned out to be ready.
        endpoint: Option<ReadyEndpoint>,
    },
    /// Nothing now.
    Wait {
        /// When to look again at the latest.
        interval: Duration,
        /// What the timeline should say about it.
        detail: Option<String>,
    },
}

impl Step {
    fn advance(transition: Transition, message: impl Into<String>) -> Self {
        Self::Advance { transition, message: message.into(), endpoint: None }
    }

    /// Ends the run early.
    pub(super) fn end(verdict: Verdict) -> Self {
        let message = verdict.reason().unwrap_or("cancelled").to_owned();
        Self::advance(Transition::End(verdict), message)
    }

    fn failed(reason: impl Into<String>) -> Self {
        Self::end(Verdict::failed(reason))
    }

    fn wait(interval: Duration) -> Self {
        Self::Wait { interval, detail: None }
    }
}

/// Whether the run is to end now although its phase is not done: cancelled, or out of time.
pub(super) fn early_end(run: &Run, now: DateTime<Utc>) -> Option<Verdict> {
    if !run.phase.may_end_early() {
        return None;
    }
    if run.cancel_requested_at.is_some() {
        return Some(Verdict::Cancelled);
    }
    let late = run.deadline_at.is_some_and(|deadline| deadline <= now);
    late.then(|| {
        Verdict::failed(format!(
            "the run's time limit of {} s was reached while it was {}",
            run.spec.timeout_s, run.phase
        ))
    })
}

/// What a foreign program wrote, without the person's token.
pub(super) fn redacted(token: Option<&HfToken>, text: String) -> String {
    match token {
        Some(token) => token.redact(&text),
        None => text,
    }
}

impl Driver<'_> {
    pub(super) async fn deploy(&self, run: &Run) -> Result<Step, StepError> {
        let context = self.context(run).await?;
        self.platform(run).deploy(&context).await?;
        Ok(Step::advance(Transition::Deployed, "the engine was started and is expected to become ready"))
    }

    pub(super) async fn await_ready(&self, run: &Run) -> Result<Step, StepError> {
        let context = self.context(run).await?;
        // Both texts may quote what the engine wrote, and an engine may write the token that it was given.
        let redact = |text| redacted(context.hf_token.as_ref(), text);
        Ok(match self.platform(run).readiness(&context).await? {
            Readiness::Failed(reason) => Step::failed(redact(reason)),
            Readiness::Pending(detail) => {
                match self.platform(run).prepare_load(&context, &self.load_job(run)).await? {
                    LoadState::Ended(reason) => Step::failed(redact(reason)),
                    LoadState::Running | LoadState::Pending(_) => Step::Wait {
                        interval: STARTING_INTERVAL,
                        detail: Some(format!("waiting for the engine: {}", redact(detail))),
                    },
                }
            }
            Readiness::Ready(endpoint) => {
                let version = endpoint.engine.version.value().map_or("of unknown version", String::as_str);
                let message = format!(
                    "ready: {} {version} serves `{}`; the load generator is being started",
                    endpoint.engine.kind, endpoint.served_model_name
                );
                Step::Advance { transition: Transition::Ready, message, endpoint: Some(*endpoint) }
            }
        })
    }

    pub(super) async fn load(&self, run: &Run) -> Result<Step, StepError> {
        if let Some(step) = self.load_end(run).await? {
            return Ok(step);
        }
        let platform = self.platform(run);
        let context = self.context(run).await?;
        let redact = |text| redacted(context.hf_token.as_ref(), text);
        platform.start_load(&context, &self.load_job(run)).await?;
        match platform.load_state(&context).await? {
            LoadState::Running => Ok(Step::wait(LOADING_INTERVAL)),
            LoadState::Pending(detail) => {
                Ok(Step::Wait { interval: LOADING_INTERVAL, detail: Some(redact(detail)) })
            }
            // The last report may have arrived just before the load generator ended.
            LoadState::Ended(reason) => {
                Ok(self.load_end(run).await?.unwrap_or_else(|| Step::failed(redact(reason))))
            }
        }
    }

    fn load_job(&self, run: &Run) -> LoadJob {
        let worker = self.worker;
        LoadJob { api_url: worker.api_url.clone(), token: worker.secret_key.run_token(run.id) }
    }

    async fn load_end(&self, run: &Run) -> Result<Option<Step>, Error> {
        let (reports, failure) = self.load_outcome(run.id).await?;
        if let Some(reports) = reports {
            return Ok(Some(Step::advance(
                Transition::Loaded,
                format!("all {reports} load reports have arrived"),
            )));
        }
        Ok(failure.map(Step::failed))
    }

    pub(super) async fn tear_down(&self, run: &Run) -> Result<Step, StepError> {
        Ok(match self.platform(run).teardown(run.id).await? {
            Teardown::InProgress(detail) => Step::Wait { interval: TEARDOWN_INTERVAL, detail },
            Teardown::Gone => {
                Step::advance(Transition::TornDown, "nothing of the run is left on the platform")
            }
        })
    }

    async fn context(&self, run: &Run) -> Result<RunContext, StepError> {
        use accelbench_core::run::PlatformSpec::Local;

        let mut connection = self.worker.pool.acquire().await.map_err(Error::from)?;
        let engine_command = match &run.spec.platform {
            Local { engine } if !engine.is_simulator() => {
                engines::find(&mut connection, engine).await?.command
            }
            _ => Vec::new(),
        };
        Ok(RunContext {
            model: models::find(&mut connection, &run.spec.model).await?,
            instance: instances::find(&mut connection, &run.spec.instance_type).await?,
            engine_command,
            hf_token: self.hf_token(&mut connection, run.id).await?,
            run: run.clone(),
        })
    }

    pub(super) async fn hf_token(
        &self,
        connection: &mut PgConnection,
        run_id: RunId,
    ) -> Result<Option<HfToken>, StepError> {
        let sealed = secrets::sealed_token(connection, run_id).await?;
        let opened = sealed.map(|sealed| self.worker.secret_key.open(run_id, &sealed)).transpose();
        Ok(opened.map_err(|error| PlatformError::Refused(error.to_string()))?)
    }
}

#[cfg(test)]
mod tests {
    use accelbench_core::run::{Phase, Verdict};
    use chrono::{TimeDelta, Utc};
    use serde_json::json;

    use super::early_end;
    use crate::platform::examples::context;

    #[test]
    fn cancellation_and_deadline_end_every_phase_before_the_teardown() {
        let now = Utc::now();
        let mut run = context(json!({"kind": "local", "engine": "simulator"})).run;
        for phase in [Phase::Queued, Phase::Deploying, Phase::AwaitingReady, Phase::Loading, Phase::Recording]
        {
            run.phase = phase;
            (run.cancel_requested_at, run.deadline_at) = (None, Some(now + TimeDelta::seconds(1)));
            assert_eq!(early_end(&run, now), None);
            run.deadline_at = Some(now);
            assert!(
                matches!(early_end(&run, now), Some(Verdict::Failed { reason }) if reason.contains("7200 s"))
            );
            run.cancel_requested_at = Some(now);
            assert_eq!(early_end(&run, now), Some(Verdict::Cancelled));
        }
        run.phase = Phase::TearingDown(Verdict::Succeeded);
        assert_eq!(early_end(&run, now), None);
    }
}
