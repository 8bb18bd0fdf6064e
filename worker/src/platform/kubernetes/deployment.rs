//! Deploying: the Lease first, then all that it owns.

use std::net::{IpAddr, Ipv4Addr};

use accelbench_core::engine::profile::{DeploymentPlan, DeploymentRequest, ENGINE_PORT, choose};
use accelbench_core::run::{PlatformSpec, Run};
use chrono::{TimeDelta, Utc};

use super::manifests::{EngineContainer, RunObjects, Tenure, lease};
use super::{KubernetesOptions, KubernetesPlatform};
use crate::platform::{PlatformError, RunContext, command};

/// How long after a run's deadline its Lease may still be there: the worker itself ends the run before that.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

pub(super) async fn deploy(platform: &KubernetesPlatform, context: &RunContext) -> Result<(), PlatformError> {
    let container = container(context, &platform.options)?;
    let uid = lease_uid(platform, &context.run).await?;
    for manifest in objects(context, &uid, &platform.options).engine(&container) {
        platform.cluster.apply(&manifest).await?;
    }
    Ok(())
}

/// The uid of the run's Lease, which is made if there is none.
pub(super) async fn lease_uid(platform: &KubernetesPlatform, run: &Run) -> Result<String, PlatformError> {
    let found = if let Some(lease) = platform.cluster.lease(run.id).await? {
        lease
    } else {
        let tenure = tenure(run, &platform.holder);
        platform.cluster.create_lease(&lease(run.id, &tenure, &platform.options)).await?
    };
    if found.metadata.deletion_timestamp.is_some() {
        return Err(PlatformError::Refused(super::LEASE_GONE.to_owned()));
    }
    found.metadata.uid.ok_or_else(|| PlatformError::Failed("the API server gave the Lease no uid".to_owned()))
}

/// Who looks after a run from now on, and until when.
pub(super) fn tenure<'a>(run: &Run, holder: &'a str) -> Tenure<'a> {
    Tenure { holder, renewed_at: Utc::now(), deadline_at: deadline(run) + MARGIN }
}

fn deadline(run: &Run) -> chrono::DateTime<Utc> {
    run.deadline_at.unwrap_or_else(|| Utc::now() + TimeDelta::seconds(i64::from(run.spec.timeout_s)))
}

pub(super) fn objects<'a>(
    context: &'a RunContext,
    lease_uid: &'a str,
    options: &'a KubernetesOptions,
) -> RunObjects<'a> {
    RunObjects {
        run_id: context.run.id,
        lease_uid,
        timeout_s: context.run.spec.timeout_s,
        hf_token: context.hf_token.as_ref(),
        options,
    }
}

/// How the run's model is deployed on its instance type; nothing for the simulator.
pub(super) fn plan(context: &RunContext) -> Result<Option<DeploymentPlan>, PlatformError> {
    if context.run.spec.platform.is_simulated() {
        return Ok(None);
    }
    let request = DeploymentRequest::of_run(&context.run.spec, &context.model, &context.instance);
    choose(&request).map(Some).map_err(|unsupported| PlatformError::Refused(unsupported.to_string()))
}

/// The engine's container.
pub(super) fn container(
    context: &RunContext,
    options: &KubernetesOptions,
) -> Result<EngineContainer, PlatformError> {
    if !matches!(context.run.spec.platform, PlatformSpec::Kubernetes { .. }) {
        return Err(PlatformError::Refused("the run asks for no cluster".to_owned()));
    }
    if let Some(plan) = plan(context)? {
        return Ok(EngineContainer::vllm(&plan, &context.run.spec.instance_type, options));
    }
    let arguments = command::simulator(context, IpAddr::V4(Ipv4Addr::UNSPECIFIED), ENGINE_PORT)?;
    Ok(EngineContainer::simulator(arguments, options))
}
