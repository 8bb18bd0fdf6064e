//! The plan of a deployment: everything about the engine that follows from the model, the instance type and what was
//! asked for. Pure, so that a request can be refused before it costs anything.

use serde::{Deserialize, Serialize};

use super::fit::{Fitting, Spread};
use super::parallelism::Parts;
use super::precision::Wish;
use super::{
    ChipGeneration, DeploymentRequest, HostShare, ImageReference, Parallelism, Precision, Profile,
    ProfileName, Unsupported, fit, flags,
};
use crate::fit::Room;

/// Chips to ask the scheduler for: all that the instance has, so that nothing else is measured with the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceleratorRequest {
    /// The Kubernetes resource, for instance `nvidia.com/gpu`.
    pub resource: String,
    /// How many.
    pub count: u32,
}

/// How a model is deployed on an instance type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeploymentPlan {
    /// The profile that serves it.
    pub profile: ProfileName,
    /// The profile's image, unless the operator named another or its digest.
    pub image: ImageReference,
    /// What is started.
    pub command: Vec<String>,
    /// With which arguments.
    pub arguments: Vec<String>,
    /// With which variables; none of them is a secret.
    pub environment: Vec<(String, String)>,
    /// How weights are stored and computed.
    pub precision: Precision,
    /// How the model is spread over the chips.
    pub parallelism: Parallelism,
    /// The chips that are asked for.
    pub accelerators: AcceleratorRequest,
    /// Processor and memory that are asked for.
    pub host: HostShare,
    /// Longest prompt with its answer, in tokens.
    pub max_context_tokens: u32,
    /// Most requests that one replica computes at once.
    pub max_sequences: u32,
    /// What lies where on each accelerator or core; `None` where the size of the model's cache is not known.
    pub room: Option<Room>,
    /// Weights on the accelerators, once, in GiB.
    pub weights_gib: f64,
    /// Weights as they are downloaded, in GiB.
    pub download_gib: f64,
    /// Disk for the download and what the engine writes, in GiB.
    pub disk_gib: u32,
    /// Memory that the engine's processes share, in GiB; it counts against the host's memory.
    pub shared_memory_gib: u32,
    /// From the container's start until the engine must be ready, in seconds.
    pub startup_budget_s: u32,
}

/// Plans the deployment of a model on an instance type.
///
/// # Errors
/// [`Unsupported`], with the nearest that works.
pub fn choose(request: &DeploymentRequest<'_>) -> Result<DeploymentPlan, Unsupported> {
    let instance = request.instance;
    let unserved = || Unsupported::Accelerator(instance.instance_type.clone());
    let generation = ChipGeneration::of(instance).ok_or_else(unserved)?;
    let name = generation.profile();
    let wish = Wish { model: request.model, asked: request.quantization, profile: name, generation };
    let precision = wish.precision()?;
    let weights_gib = fit::gib_of_weights(request.model, precision.quantization)?;
    let parts = Parts::of(instance, generation)?;
    let Spread { parallelism, room } = Fitting::of(request, &parts, &wish, &precision).spread()?;
    let host = HostShare::most_of(instance).ok_or_else(|| Unsupported::UnknownFact {
        what: "number of processors or memory",
        of: instance.instance_type.to_string(),
    })?;
    let download_gib = fit::gib_of_weights(request.model, precision.published)?;
    let profile = name.profile();
    let mut plan = DeploymentPlan {
        profile: name,
        image: profile.image.parse().expect("a test parses the image of each profile"),
        command: profile.entry_point.map(str::to_owned).to_vec(),
        arguments: Vec::new(),
        environment: environment(&profile),
        precision,
        parallelism,
        accelerators: accelerators(&profile, parallelism),
        host,
        max_context_tokens: request.max_context_tokens(),
        max_sequences: max_sequences(request, &profile, room),
        room,
        weights_gib,
        download_gib,
        disk_gib: (download_gib * 1.2).ceil() as u32 + 40,
        shared_memory_gib: (2 * parallelism.chips).max(8),
        startup_budget_s: startup_budget_s(name, download_gib),
    };
    plan.arguments = flags::arguments(request, &plan);
    Ok(plan)
}

/// Compiled engines reserve the cache of all rows at once: there are no more of them than fit.
fn max_sequences(request: &DeploymentRequest<'_>, profile: &Profile, room: Option<Room>) -> u32 {
    let asked = request.sequences.clamp(1, profile.most_sequences);
    match room {
        Some(room) if profile.name.compiles() => {
            asked.min(u32::try_from(room.full_length_sequences).unwrap_or(u32::MAX)).max(1)
        }
        _ => asked,
    }
}

fn environment(profile: &Profile) -> Vec<(String, String)> {
    profile.environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn accelerators(profile: &Profile, parallelism: Parallelism) -> AcceleratorRequest {
    AcceleratorRequest { resource: profile.accelerator_resource.to_owned(), count: parallelism.chips }
}

/// Ten minutes for what downloads and loads fast, thirty for 70 billion parameters and more, an hour where the model
/// is compiled first or is larger still.
fn startup_budget_s(profile: ProfileName, download_gib: f64) -> u32 {
    match download_gib {
        _ if profile.compiles() => 3600,
        gib if gib < 32.0 => 600,
        gib if gib < 250.0 => 1800,
        _ => 3600,
    }
}
