//! Drives one run while its lease is held: compares what is wanted with what is seen, does one step, and writes it in
//! one transaction. Between steps it may watch for a while, so that reactions take milliseconds.

use std::time::Duration;

use accelbench_core::run::{Phase, ReadyEndpoint, Run, RunId, Transition, Verdict};
use accelbench_store::lease::{self, Advance, Claim, Lease};
use accelbench_store::{Error, intake, logs, notifications, results, runs};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::platform::{LogTail, Platform, PlatformError};
use crate::worker::Worker;
use crate::{metrics, provenance};
use accelbench_store::error::chain;

mod failure;
mod step;

pub use step::Step;

/// How long one tick may watch before it gives the run back.
const WATCH: Duration = Duration::from_secs(45);

/// One worker's hold on one run.
pub(crate) struct Driver<'a> {
    worker: &'a Worker,
    lease: Lease,
    changes: broadcast::Receiver<RunId>,
    /// What the timeline already says about the present phase.
    told: Option<String>,
    /// Whether this tick has kept the logs: they are read before what wrote them is removed.
    logs_kept: bool,
}

/// Why a step did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl<'a> Driver<'a> {
    pub(crate) fn new(worker: &'a Worker, lease: Lease, changes: broadcast::Receiver<RunId>) -> Self {
        Self { worker, lease, changes, told: None, logs_kept: false }
    }

    /// Works on the run until a step is done, or for as long as a tick may watch.
    pub(crate) async fn work(mut self, mut run: Run) -> Result<(), Error> {
        if let Some(reason) = failure::worn_out(&run) {
            return self.give_up(&run, &reason).await;
        }
        let until = Instant::now() + WATCH;
        loop {
            let step = match self.next_step(&run).await {
                Ok(step) => step,
                Err(StepError::Store(error))
                    if error.is_transient() || matches!(error, Error::LeaseLost(_)) =>
                {
                    return Err(error);
                }
                Err(error) => return self.recover(&run, error).await,
            };
            match step {
                Step::Wait { interval, detail } => {
                    self.tell(detail).await?;
                    if Instant::now() >= until || self.worker.stopping.is_cancelled() {
                        return self.look_again(&run, Duration::ZERO).await;
                    }
                    self.watch(&run, interval).await;
                    run = self.reload().await?;
                }
                step => {
                    return match self.apply(&run, step).await {
                        Err(error) if !error.is_transient() && !matches!(error, Error::LeaseLost(_)) => {
                            self.recover(&run, error.into()).await
                        }
                        outcome => outcome,
                    };
                }
            }
        }
    }

    fn platform(&self, run: &Run) -> &'a dyn Platform {
        self.worker.platforms.of(&run.spec.platform)
    }

    async fn next_step(&mut self, run: &Run) -> Result<Step, StepError> {
        if let Some(verdict) = step::early_end(run, chrono::Utc::now()) {
            return Ok(Step::end(verdict));
        }
        match &run.phase {
            Phase::Queued => Ok(Step::Claim),
            Phase::Deploying => self.deploy(run).await,
            Phase::AwaitingReady => self.await_ready(run).await,
            Phase::Loading => self.load(run).await,
            Phase::Recording => Ok(Step::Record),
            Phase::TearingDown(_) => {
                self.keep_logs_first(run).await?;
                self.tear_down(run).await
            }
            // The lease is not given for a finished run.
            Phase::Finished(_) => Err(Error::LeaseLost(run.id).into()),
        }
    }

    async fn apply(&self, run: &Run, step: Step) -> Result<(), Error> {
        let mut transaction = self.worker.pool.begin().await?;
        let moved = match &step {
            Step::Claim => {
                let claim = lease::claim(
                    &mut transaction,
                    self.lease,
                    run,
                    "a place is free: the engine is being started",
                )
                .await?;
                claim == Claim::Claimed
            }
            Step::Record => {
                let provenance = provenance::of(run, &runs::dataset_sha256(&mut transaction, run.id).await?)?;
                results::record(&mut transaction, self.lease, run, &provenance).await?;
                true
            }
            Step::Advance { transition, message, endpoint } => {
                if *transition == Transition::TornDown {
                    self.keep_logs(&mut transaction, run).await?;
                }
                self.advance(&mut transaction, run, transition.clone(), message, endpoint.as_ref()).await?;
                true
            }
            Step::Wait { .. } => false,
        };
        transaction.commit().await?;
        if moved {
            metrics::phase_left(self.worker, run).await;
        }
        if matches!(&step, Step::Advance { transition: Transition::TornDown, .. }) {
            self.forget(run).await;
        }
        Ok(())
    }

    async fn advance(
        &self,
        connection: &mut accelbench_store::PgConnection,
        run: &Run,
        transition: Transition,
        message: &str,
        endpoint: Option<&ReadyEndpoint>,
    ) -> Result<(), Error> {
        let phase =
            lease::advance(connection, self.lease, Advance { run, transition, message, endpoint }).await?;
        tracing::info!(
            run.id = %run.id, run.phase = %phase, model = %run.spec.model, instance_type = %run.spec.instance_type,
            "{message}"
        );
        Ok(())
    }

    /// Keeps the logs before the teardown begins: on a cluster they go with what wrote them.
    async fn keep_logs_first(&mut self, run: &Run) -> Result<(), Error> {
        if !std::mem::replace(&mut self.logs_kept, true) {
            let mut transaction = self.worker.pool.begin().await?;
            self.keep_logs(&mut transaction, run).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Keeps what there is of the run's logs. Kept again in the transaction that ends the run, with what was written
    /// while it ended.
    async fn keep_logs(
        &self,
        connection: &mut accelbench_store::PgConnection,
        run: &Run,
    ) -> Result<(), Error> {
        // A log that cannot be read, or cannot be rid of the person's token, must not keep a run from ending.
        let read = self.platform(run).logs(run.id).await.map_err(StepError::from);
        let readable = match (read, self.hf_token(&mut *connection, run.id).await) {
            (Ok(tails), Ok(token)) => Ok((tails, token)),
            (_, Err(StepError::Store(error))) => return Err(error),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        match readable {
            Ok((tails, token)) => {
                for LogTail { source, content, truncated } in tails {
                    let content = step::redacted(token.as_ref(), content);
                    logs::put(&mut *connection, run.id, source, &content, truncated).await?;
                }
            }
            Err(error) => {
                tracing::warn!(run.id = %run.id, error = chain(&error), "the logs could not be kept");
            }
        }
        Ok(())
    }

    async fn forget(&self, run: &Run) {
        if let Err(error) = self.platform(run).forget(run.id).await {
            // The reaper tries again.
            tracing::warn!(run.id = %run.id, error = chain(&error), "the run's folder is left for the reaper");
        }
    }

    async fn tell(&mut self, detail: Option<String>) -> Result<(), Error> {
        let Some(detail) = detail.filter(|detail| self.told.as_ref() != Some(detail)) else { return Ok(()) };
        let mut transaction = self.worker.pool.begin().await?;
        lease::note(&mut transaction, self.lease, &detail).await?;
        transaction.commit().await?;
        self.told = Some(detail);
        Ok(())
    }

    async fn watch(&mut self, run: &Run, interval: Duration) {
        let platform = self.platform(run);
        tokio::select! {
            () = notifications::changed(&mut self.changes, self.lease.run_id) => {}
            () = platform.changed(run.id, interval) => {}
            () = self.worker.stopping.cancelled() => {}
        }
    }

    async fn reload(&self) -> Result<Run, Error> {
        let mut connection = self.worker.pool.acquire().await?;
        runs::find(&mut connection, self.lease.run_id).await
    }

    async fn look_again(&self, run: &Run, delay: Duration) -> Result<(), Error> {
        let mut transaction = self.worker.pool.begin().await?;
        lease::look_again(&mut transaction, self.lease, run, delay).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many reports have arrived, and what the load generator gave up on.
    /// Whether the load is over as it stands in the database now: how many reports there are when they are all, and why
    /// the load generator gave up if it did.
    async fn load_outcome(&self, run_id: RunId) -> Result<(Option<usize>, Option<String>), Error> {
        let mut connection = self.worker.pool.acquire().await?;
        let reports = intake::report_count(&mut connection, run_id).await?;
        let run = runs::find(&mut connection, run_id).await?;
        let all = run.has_all_reports(reports).then_some(reports);
        Ok((all, intake::failure(&mut connection, run_id).await?))
    }

    async fn give_up(&self, run: &Run, reason: &str) -> Result<(), Error> {
        let mut transaction = self.worker.pool.begin().await?;
        let ends = run.phase.may_end_early();
        if ends {
            let verdict = Verdict::failed(reason);
            self.advance(&mut transaction, run, Transition::End(verdict), reason, None).await?;
        } else {
            tracing::error!(run.id = %run.id, reason, "the run is parked: its teardown keeps failing");
            lease::park(&mut transaction, self.lease, reason).await?;
        }
        transaction.commit().await?;
        if ends {
            metrics::phase_left(self.worker, run).await;
        }
        Ok(())
    }
}
