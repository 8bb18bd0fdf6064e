//! What the known facts of a model and an instance type rule out before any money is spent.

use accelbench_core::engine::profile::DeploymentRequest;
use accelbench_core::fit::{Demand, Fit, KvCachePrecision, ModelFacts, Split as Spread, fit};
use accelbench_core::instance::{AcceleratorKind, InstanceType};
use accelbench_core::model::{Model, Quantization};
use accelbench_core::run::{PlatformSpec, RunSpec};

use super::Split;
use crate::error::ApiError;

/// NeuronCores of the chip that has most of them.
const MOST_CORES_PER_CHIP: u32 = 8;

/// Checks a request against what is known of its model and its instance type.
pub(super) fn check(spec: &RunSpec, model: &Model, instance: &InstanceType) -> Result<(), ApiError> {
    if is_simulated(spec) {
        check_simulator_facts(model, instance)?;
    }
    let Some(count) = instance.accelerator_count.map(i32::cast_unsigned) else { return Ok(()) };
    let cores = if instance.accelerator_kind == AcceleratorKind::Neuron { MOST_CORES_PER_CHIP } else { 1 };
    if spec.tensor_parallel > count * cores {
        return Err(ApiError::unprocessable(format!(
            "tensor_parallel is {}, but {} has {count} accelerators",
            spec.tensor_parallel, spec.instance_type
        )));
    }
    check_weights(spec, model, instance, count)
}

/// What a cluster is to deploy for the run; nothing for what no profile deploys.
pub(super) fn deployment<'a>(
    spec: &'a RunSpec,
    model: &'a Model,
    instance: &'a InstanceType,
    split: Split,
) -> Option<DeploymentRequest<'a>> {
    if !matches!(&spec.platform, PlatformSpec::Kubernetes { .. }) || is_simulated(spec) {
        return None;
    }
    let request = DeploymentRequest::of_run(spec, model, instance);
    let tensor_parallel = request.tensor_parallel.filter(|_| split == Split::AsAsked);
    Some(DeploymentRequest { tensor_parallel, ..request })
}

fn is_simulated(spec: &RunSpec) -> bool {
    spec.platform.is_simulated()
}

/// The simulator computes its times from these; it never guesses one.
fn check_simulator_facts(model: &Model, instance: &InstanceType) -> Result<(), ApiError> {
    let facts = [
        ("the model's number of parameters", model.params_total_b.is_some()),
        ("the model's number of layers", model.layers.is_some()),
        ("the model's size of the key-value cache", model.kv_cache_bytes_per_token.is_some()),
        ("the accelerator's memory", instance.accelerator_memory_gib.is_some()),
        ("the accelerator's memory bandwidth", instance.accelerator_bandwidth_gb_per_s.is_some()),
        ("the accelerator's compute rate", instance.accelerator_bf16_tflops.is_some()),
    ];
    let unknown: Vec<&str> = facts.iter().filter(|(_, known)| !known).map(|(fact, _)| *fact).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "{} on {} cannot be simulated: not known: {}",
        model.model,
        instance.instance_type,
        unknown.join(", ")
    );
    Err(ApiError::unprocessable(detail).with_hint(
        "choose a model and an instance type whose facts are known, or add the model's with POST /api/v1/models",
    ))
}

/// On a machine of ours or somebody else's only what cannot be in any case is refused: the weights are too large. The
/// simulator takes 16-bit weights unless told otherwise, and elsewhere the model may come as small as 4 bits.
fn check_weights(spec: &RunSpec, model: &Model, instance: &InstanceType, count: u32) -> Result<(), ApiError> {
    let unstated = if is_simulated(spec) { Quantization::Bf16 } else { Quantization::Int4 };
    let demand = Demand {
        quantization: spec.quantization.unwrap_or(unstated),
        kv_cache: KvCachePrecision::Fp8,
        context_tokens: 1,
        sequences: 1,
    };
    // Only the weights are in question here.
    let facts =
        ModelFacts { attention_heads: None, kv_cache_bytes_per_token: Some(1.0), ..ModelFacts::from(model) };
    let degree = spec.tensor_parallel.min(count);
    // A degree that no engine would take is the engine's to refuse.
    let degree = if degree.is_power_of_two() { degree } else { count };
    match fit(&facts, instance, &demand, Spread::tensor_parallel(degree)) {
        Fit::DoesNotFit(misfit) => {
            Err(ApiError::unprocessable(format!("{} on {} {misfit}", spec.model, spec.instance_type)))
        }
        Fit::Fits(_) | Fit::Unknown { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use accelbench_core::engine::profile::choose;

    use super::{Split, check, deployment};

    fn refusal(request: &Value, model: &Value, instance: &Value) -> Option<String> {
        let mut spec = json!({
            "model": "some/model", "instance_type": "g6e.xlarge", "platform": {"kind": "local", "engine": "simulator"},
        });
        let mut facts = json!({
            "model": "some/model", "source": "test", "params_total_b": 8.0, "layers": 32,
            "kv_cache_bytes_per_token": 131_072.0,
        });
        let mut machine = json!({
            "instance_type": "g6e.xlarge", "family": "g6e", "accelerator_kind": "gpu", "accelerator_name": "L40S",
            "accelerator_count": 4, "accelerator_memory_gib": 45.0, "accelerator_bandwidth_gb_per_s": 864.0,
            "accelerator_bf16_tflops": 181.0, "source": "test",
        });
        for (target, change) in [(&mut spec, request), (&mut facts, model), (&mut machine, instance)] {
            for (key, value) in change.as_object().unwrap() {
                target[key] = value.clone();
            }
        }
        let spec = serde_json::from_value(spec).unwrap();
        let (facts, machine) =
            (serde_json::from_value(facts).unwrap(), serde_json::from_value(machine).unwrap());
        check(&spec, &facts, &machine)
            .err()
            .map(|error| format!("{} ({})", error.detail, error.hint.unwrap_or_default()))
    }

    #[test]
    fn what_fits_passes() {
        assert_eq!(refusal(&json!({}), &json!({}), &json!({})), None);
        assert_eq!(
            refusal(&json!({"tensor_parallel": 4}), &json!({"params_total_b": 70.0}), &json!({})),
            None
        );
        let endpoint = json!({"kind": "endpoint", "url": "http://engine:8000/"});
        let unstated = refusal(&json!({"platform": endpoint}), &json!({"params_total_b": 70.0}), &json!({}));
        assert_eq!(unstated, None, "the model may come in 4 bits");
    }

    #[test]
    fn a_cluster_splits_a_model_over_as_few_accelerators_as_hold_it() {
        let deploy = |params_b: f64, asked: u32, split| {
            let spec = json!({
                "model": "some/model", "instance_type": "g6e.12xlarge", "platform": {"kind": "kubernetes"},
                "tensor_parallel": asked,
            });
            let facts = json!({"model": "some/model", "source": "test", "params_total_b": params_b});
            let machine = json!({
                "instance_type": "g6e.12xlarge", "family": "g6e", "accelerator_kind": "gpu",
                "accelerator_name": "L40S", "accelerator_count": 4, "accelerator_memory_gib": 44.7, "vcpu": 48,
                "memory_gib": 384.0, "source": "test",
            });
            let (spec, facts, machine) = (
                serde_json::from_value(spec).unwrap(),
                serde_json::from_value(facts).unwrap(),
                serde_json::from_value(machine).unwrap(),
            );
            choose(&deployment(&spec, &facts, &machine, split).unwrap())
                .map(|plan| plan.parallelism.tensor_parallel)
                .map_err(|error| error.to_string())
        };
        assert_eq!(deploy(8.0, 1, Split::AsFewAsHold), Ok(1));
        assert_eq!(deploy(8.0, 2, Split::AsAsked), Ok(2));
        assert_eq!(deploy(60.0, 1, Split::AsFewAsHold), Ok(4));
        let refusal = deploy(60.0, 1, Split::AsAsked).unwrap_err();
        assert!(refusal.contains("tensor parallel 4"), "{refusal}");
    }

    #[test]
    fn what_cannot_fit_is_refused_with_its_numbers() {
        let none = json!({});
        for (request, model, instance, expected) in [
            (
                &none,
                json!({"params_total_b": 70.0}),
                &none,
                "of 40.5 GiB usable on each accelerator weights take 130.4 and the engine 1.0, which is 90.9 too much; it \
                 would fit with tensor parallel 4",
            ),
            (&none, json!({"params_total_b": 405.0}), &none, "choose a larger one"),
            (&json!({"tensor_parallel": 5}), none.clone(), &none, "g6e.xlarge has 4 accelerators"),
            (&none, json!({"layers": null}), &none, "not known: the model's number of layers ("),
            (
                &none,
                none.clone(),
                &json!({"accelerator_bf16_tflops": null}),
                "not known: the accelerator's compute rate (",
            ),
        ] {
            let refused = refusal(request, &model, instance).expect(expected);
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
