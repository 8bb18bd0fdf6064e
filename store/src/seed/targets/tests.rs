//! tmp
use accelbench_core::engine::profile::{DeploymentRequest, choose};
use accelbench_core::fit::{Demand, KvCachePrecision, ModelFacts, smallest_tensor_parallel};
use accelbench_core::instance::InstanceType;
use accelbench_core::model::{Model, Quantization};

use crate::seed::{INSTANCES, MODELS, read};

#[test]
fn print_candidates() {
    let models: Vec<Model> = read("models", MODELS).unwrap();
    let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
    let mut text = String::new();
    for model in &models {
        for instance in &instances {
            let mut spec = super::spec(super::TargetRow {
                model: model.model.clone(),
                instance_type: instance.instance_type.clone(),
                quantization: None,
                tensor_parallel: 1,
            });
            let mut request = DeploymentRequest::of_run(&spec, model, instance);
            request.tensor_parallel = None;
            let context_tokens = request.context_tokens;
            let Ok(plan) = choose(&request) else { continue };
            spec.tensor_parallel = plan.parallelism.tensor_parallel;
            let q = if plan.precision.bytes_per_weight <= 0.6 {
                Quantization::Int4
            } else if plan.precision.bytes_per_weight <= 1.0 {
                Quantization::Fp8
            } else {
                Quantization::Bf16
            };
            let demand =
                Demand { quantization: q, kv_cache: KvCachePrecision::Bf16, context_tokens, sequences: 256 };
            let fit = smallest_tensor_parallel(&ModelFacts::from(model), instance, &demand);
            let Some(room) = fit.room() else { continue };
            text += &format!(
                "{},{},{},{},{},{},{},{},{:?},{}\n",
                model.model,
                instance.instance_type,
                spec.tensor_parallel,
                room.split.tensor_parallel,
                room.waiting_sequences,
                model.family.clone().unwrap_or_default(),
                model.gated.unwrap_or(false),
                model.params_total_b.unwrap(),
                plan.precision,
                plan.parallelism.chips
            );
        }
    }
    std::fs::write("/tmp/catalogpg-candidates.csv", text).unwrap();
}
