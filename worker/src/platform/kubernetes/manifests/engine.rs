//! The container that serves the model. A vLLM profile and the simulator differ in nothing else, so that what is tested
//! with the one holds for the other.

use accelbench_core::engine::profile::{
    AcceleratorRequest, DeploymentPlan, ENGINE_PORT, HostShare, ProfileName,
};
use accelbench_core::instance::InstanceTypeName;

use crate::platform::kubernetes::KubernetesOptions;
use crate::platform::kubernetes::options::NodePool;

/// What is run as the engine, on which nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineContainer {
    /// The image.
    pub image: String,
    /// What is started; empty is the image's own entry point.
    pub command: Vec<String>,
    /// With which arguments.
    pub arguments: Vec<String>,
    /// With which variables; none of them is a secret.
    pub environment: Vec<(String, String)>,
    /// On which port it serves.
    pub port: u16,
    /// Answers once the model is loaded.
    pub readiness_path: String,
    /// Answers as long as the process lives.
    pub liveness_path: String,
    /// The chips that it asks for, if any.
    pub accelerators: Option<AcceleratorRequest>,
    /// The instance type of the node, if it matters.
    pub instance_type: Option<InstanceTypeName>,
    /// The nodes it may run on.
    pub pool: NodePool,
    /// Processor and memory that it asks for.
    pub host: HostShare,
    /// Disk that it asks for, in GiB.
    pub disk_gib: u32,
    /// Memory that its processes share, in GiB.
    pub shared_memory_gib: u32,
    /// From the container's start until it must be ready, in seconds.
    pub startup_budget_s: u32,
    /// What it may do.
    pub privileges: Privileges,
}

/// What a container may do on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privileges {
    /// As root, as foreign images want it, but without gaining more.
    AsImage,
    /// Nothing: as nobody, on a disk that cannot be written.
    Restricted,
}

impl EngineContainer {
    /// vLLM, as planned, on nodes of the instance type.
    #[must_use]
    pub fn vllm(
        plan: &DeploymentPlan,
        instance_type: &InstanceTypeName,
        options: &KubernetesOptions,
    ) -> Self {
        let profile = plan.profile.profile();
        let pool = match plan.profile {
            ProfileName::VllmGpu => &options.gpu_pool,
            ProfileName::VllmNeuron | ProfileName::VllmNxdi => &options.neuron_pool,
        };
        Self {
            image: options.engine_images.get(&plan.profile).unwrap_or(&plan.image).to_string(),
            command: plan.command.clone(),
            arguments: plan.arguments.clone(),
            environment: plan.environment.clone(),
            port: ENGINE_PORT,
            readiness_path: profile.readiness_path.to_owned(),
            liveness_path: profile.liveness_path.to_owned(),
            accelerators: Some(plan.accelerators.clone()),
            instance_type: Some(instance_type.clone()),
            pool: pool.clone(),
            host: plan.host,
            disk_gib: plan.disk_gib,
            shared_memory_gib: plan.shared_memory_gib,
            startup_budget_s: plan.startup_budget_s,
            privileges: Privileges::AsImage,
        }
    }

    /// Our simulator, which needs no accelerator whatever it imitates. The arguments begin with `simulate` and make it
    /// listen on [`ENGINE_PORT`] of all addresses.
    #[must_use]
    pub fn simulator(arguments: Vec<String>, options: &KubernetesOptions) -> Self {
        Self {
            image: options.simulator_image.as_ref().unwrap_or(&options.image).to_string(),
            command: Vec::new(),
            arguments,
            environment: Vec::new(),
            port: ENGINE_PORT,
            readiness_path: "/v1/models".to_owned(),
            liveness_path: "/health".to_owned(),
            accelerators: None,
            instance_type: None,
            pool: options.loadgen_pool.clone(),
            host: HostShare { cpu_millicores: 500, memory_mib: 512 },
            disk_gib: 1,
            shared_memory_gib: 0,
            startup_budget_s: 120,
            privileges: Privileges::Restricted,
        }
    }
}
