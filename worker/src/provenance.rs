//! What is recorded beside the numbers: what was measured where, by which software. What a platform cannot know is
//! absent with the reason.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::engine::EngineKind;
use accelbench_core::model::Revision;
use accelbench_core::observed::Observed;
use accelbench_core::result::{Origin, Provenance};
use accelbench_core::run::{PlatformSpec, Run};
use accelbench_store::Error;

/// The provenance of a run's results.
///
/// # Errors
/// [`Error::Conflict`] when the run never had a ready engine.
pub(crate) fn of(run: &Run, dataset_sha256: &Sha256Hex) -> Result<Provenance, Error> {
    let endpoint = run
        .endpoint
        .as_ref()
        .ok_or_else(|| Error::Conflict(format!("run {} has no engine to record results of", run.id)))?;
    let spec = &run.spec;
    let engine = endpoint.engine.kind;
    let simulated = engine == EngineKind::Simulator;
    let ours = matches!(spec.platform, PlatformSpec::Local { .. } | PlatformSpec::Kubernetes { .. });
    let machine = || machine_unknown(simulated, ours);
    let seen = endpoint.machine.as_ref();
    Ok(Provenance {
        origin: if simulated { Origin::Simulated } else { Origin::Measured },
        platform: spec.platform.as_str().to_owned(),
        model: spec.model.clone(),
        revision: revision(run, simulated, ours),
        instance_type: spec.instance_type.clone(),
        engine,
        engine_version: endpoint.engine.version.clone(),
        engine_image_digest: endpoint.engine.image_digest.clone(),
        engine_arguments: if ours {
            Observed::Value(endpoint.engine_arguments.clone())
        } else {
            Observed::absent("somebody else started the engine")
        },
        quantization: or_absent(spec.quantization, "the run asked for the weights as the model comes"),
        tensor_parallel: spec.tensor_parallel,
        accelerators_used: if let Some(machine) = seen {
            machine.accelerators_used.clone()
        } else if simulated {
            Observed::Value(spec.tensor_parallel)
        } else {
            Observed::absent(machine())
        },
        ami: seen.map_or_else(|| Observed::absent(machine()), |seen| seen.ami.clone()),
        driver_version: seen.map_or_else(|| Observed::absent(machine()), |seen| seen.driver_version.clone()),
        availability_zone: seen
            .map_or_else(|| Observed::absent(machine()), |seen| seen.availability_zone.clone()),
        dataset_sha256: dataset_sha256.clone(),
        workload_sha256: spec.workload.fingerprint(dataset_sha256),
        // The report of each load point says which load generator made it.
        loadgen_version: String::new(),
    })
}

/// The commit that the engine was told to load, or why there is none.
fn revision(run: &Run, simulated: bool, ours: bool) -> Observed<Revision> {
    let reason = run.revision_absent_reason.as_deref();
    or_absent(run.spec.revision.clone(), reason.unwrap_or_else(|| revision_unknown(simulated, ours)))
}

fn or_absent<T>(value: Option<T>, reason: &str) -> Observed<T> {
    value.map_or_else(|| Observed::absent(reason), Observed::Value)
}

fn machine_unknown(simulated: bool, ours: bool) -> &'static str {
    match (simulated, ours) {
        (true, _) => "the simulator runs on no accelerator",
        (false, true) => "the local platform does not examine its machine",
        (false, false) => "the machine behind the endpoint is not ours to examine",
    }
}

fn revision_unknown(simulated: bool, ours: bool) -> &'static str {
    match (simulated, ours) {
        (true, _) => "the simulator loads no weights",
        (false, true) => "the run did not ask for a revision and the engine does not say which it loaded",
        (false, false) => "the endpoint does not say which revision it serves",
    }
}
