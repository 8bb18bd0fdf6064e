//! What becomes of a step that failed: another attempt after a pause that grows, the end of the run with the reason, or,
//! for a teardown that keeps failing, a person.

use std::time::Duration;

use accelbench_core::run::Run;
use accelbench_store::{Error, lease};

use super::{Driver, StepError};
use crate::platform::PlatformError;
use accelbench_store::error::chain;

/// How often a step is begun before its run is given up.
const MAX_ATTEMPTS: u32 = 6;

/// How long an unreachable platform is left alone.
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(5);

/// Why the run cannot go on, if its present step was begun too often without coming to an end: it killed its workers.
pub(super) fn worn_out(run: &Run) -> Option<String> {
    (run.attempts > MAX_ATTEMPTS).then(|| {
        format!(
            "the step `{}` was begun {} times and its worker died each time; the worker's log says more",
            run.phase,
            run.attempts - 1
        )
    })
}

/// The pause before attempt number `attempts + 1`: 1, 2, 4, 8, 16 s.
fn pause(attempts: u32) -> Duration {
    Duration::from_secs(1 << attempts.saturating_sub(1).min(5))
}

impl Driver<'_> {
    pub(super) async fn recover(&self, run: &Run, error: StepError) -> Result<(), Error> {
        let reason = chain(&error);
        match error {
            StepError::Platform(PlatformError::Refused(reason)) if run.phase.may_end_early() => {
                self.give_up(run, &reason).await
            }
            // Not the run's fault: its attempts are not spent, and its deadline bounds the waiting.
            StepError::Platform(PlatformError::Unreachable(_)) => {
                tracing::warn!(run.id = %run.id, error = reason, "the platform cannot be reached");
                self.look_again(run, UNREACHABLE_PAUSE).await
            }
            _ if run.attempts >= MAX_ATTEMPTS => {
                let reason = format!("the step `{}` failed {} times: {reason}", run.phase, run.attempts);
                self.give_up(run, &reason).await
            }
            _ => {
                tracing::warn!(run.id = %run.id, run.phase = %run.phase, error = reason, "a step failed");
                let mut transaction = self.worker.pool.begin().await?;
                lease::retry_later(&mut transaction, self.lease, run, &reason, pause(run.attempts)).await?;
                transaction.commit().await?;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MAX_ATTEMPTS, pause, worn_out};
    use crate::platform::examples::context;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let seconds: Vec<u64> = (0..9).map(|attempts| pause(attempts).as_secs()).collect();
        assert_eq!(seconds, [1, 1, 2, 4, 8, 16, 32, 32, 32]);
    }

    #[test]
    fn a_run_that_kills_its_workers_is_given_up_after_the_last_attempt() {
        let mut run = context(json!({"kind": "local", "engine": "simulator"})).run;
        run.attempts = MAX_ATTEMPTS;
        assert_eq!(worn_out(&run), None);
        run.attempts += 1;
        assert!(worn_out(&run).is_some_and(|reason| reason.contains("begun 6 times")));
    }
}
