//! An OpenAI-compatible server that somebody else runs. Nothing is deployed and nothing torn down but our own load
//! generator, which is a process of this machine.

use accelbench_core::engine::server_root;
use accelbench_core::run::{PlatformSpec, RunId};
use async_trait::async_trait;

use super::local::{forget, loadgen_state, logs, start_loadgen, teardown, unseen};
use super::probe::Probe;
use super::process::Processes;
use super::{LoadJob, LoadState, LogTail, Platform, PlatformError, Readiness, RunContext, Teardown};

/// Foreign endpoints.
pub struct EndpointPlatform {
    processes: Processes,
    probe: Probe,
}

impl EndpointPlatform {
    pub(super) fn new(processes: Processes, probe: Probe) -> Self {
        Self { processes, probe }
    }
}

#[async_trait]
impl Platform for EndpointPlatform {
    async fn deploy(&self, _context: &RunContext) -> Result<(), PlatformError> {
        Ok(())
    }

    async fn readiness(&self, context: &RunContext) -> Result<Readiness, PlatformError> {
        let PlatformSpec::Endpoint { url } = &context.run.spec.platform else {
            return Err(PlatformError::Refused("the run names no endpoint".to_owned()));
        };
        let model = &context.run.spec.model;
        let readiness = self.probe.look(&server_root(url), model, Vec::new()).await;
        // Who measures somebody else's server must be sure which model it is.
        Ok(match readiness {
            Readiness::Ready(endpoint) if !same_model(&endpoint.served_model_name, model.as_str()) => {
                Readiness::Failed(format!(
                    "the endpoint serves `{}` and not `{model}`; run the benchmark for the model that it serves",
                    endpoint.served_model_name
                ))
            }
            other => other,
        })
    }

    async fn start_load(&self, context: &RunContext, job: &LoadJob) -> Result<(), PlatformError> {
        start_loadgen(&self.processes, &context.run, job)
    }

    async fn load_state(&self, context: &RunContext) -> Result<LoadState, PlatformError> {
        loadgen_state(&self.processes, &context.run)
    }

    async fn teardown(&self, run_id: RunId) -> Result<Teardown, PlatformError> {
        teardown(&self.processes, run_id)
    }

    async fn logs(&self, run_id: RunId) -> Result<Vec<LogTail>, PlatformError> {
        logs(&self.processes, run_id)
    }

    async fn forget(&self, run_id: RunId) -> Result<(), PlatformError> {
        forget(&self.processes, run_id)
    }

    async fn present(&self) -> Result<Vec<RunId>, PlatformError> {
        self.processes.present().map_err(|error| unseen(&error))
    }
}

/// Whether the served name is the model's id, or the id's last part as servers shorten it.
fn same_model(served: &str, model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    served.eq_ignore_ascii_case(model) || served.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::same_model;

    #[test]
    fn a_shortened_name_is_the_same_model_and_another_is_not() {
        assert!(same_model("llama-3.1-8b", "meta-llama/Llama-3.1-8B"));
        assert!(!same_model("Llama-3.1-70B", "meta-llama/Llama-3.1-8B"));
    }
}
