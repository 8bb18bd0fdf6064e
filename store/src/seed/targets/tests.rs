//! Each target can be deployed and fits; together they cover what the catalog is about.

use std::collections::BTreeSet;

use accelbench_core::engine::profile::{DeploymentRequest, choose};
use accelbench_core::fit::{Demand, KvCachePrecision, ModelFacts, smallest_tensor_parallel};
use accelbench_core::instance::InstanceType;
use accelbench_core::model::Model;
use accelbench_core::run::RunSpec;

use super::specs;
use crate::seed::{INSTANCES, MODELS, read};

/// The targets with what is known of them.
fn targets() -> Vec<(RunSpec, Model, InstanceType)> {
    let models: Vec<Model> = read("models", MODELS).unwrap();
    let instances: Vec<InstanceType> = read("instance types", INSTANCES).unwrap();
    let known = |spec: RunSpec| {
        let model = models.iter().find(|model| model.model == spec.model).unwrap().clone();
        let instance = instances.iter().find(|it| it.instance_type == spec.instance_type).unwrap().clone();
        (spec, model, instance)
    };
    specs(&models, &instances).unwrap().into_iter().map(known).collect()
}

#[test]
fn each_is_a_sound_request_that_a_profile_deploys() {
    for (spec, model, instance) in targets() {
        spec.validate().unwrap();
        choose(&DeploymentRequest::of_run(&spec, &model, &instance))
            .unwrap_or_else(|unsupported| panic!("{unsupported}"));
    }
}

#[test]
fn each_fits() {
    for (spec, model, instance) in targets() {
        let request = DeploymentRequest::of_run(&spec, &model, &instance);
        let demand = Demand {
            quantization: choose(&request).unwrap().precision.quantization,
            kv_cache: KvCachePrecision::Bf16,
            context_tokens: request.context_tokens,
            sequences: request.sequences,
        };
        let fit = smallest_tensor_parallel(&ModelFacts::from(&model), &instance, &demand);
        assert!(fit.room().is_some(), "{} on {}: {fit}", spec.model, spec.instance_type);
    }
}

#[test]
fn together_they_cover_every_family_and_none_is_there_twice() {
    let targets = targets();
    let pairs: BTreeSet<_> =
        targets.iter().map(|(spec, ..)| (spec.model.clone(), spec.instance_type.clone())).collect();
    assert_eq!(pairs.len(), targets.len());
    assert!(pairs.len() >= 120, "{}", pairs.len());
    let families: BTreeSet<&str> = targets.iter().map(|(.., instance)| instance.family.as_str()).collect();
    for family in ["g5", "g6", "g6e", "p4d", "p5", "p5e", "inf2", "trn1", "trn2"] {
        assert!(families.contains(family), "no target is on {family}");
    }
    for name in ["Llama-3", "Mistral", "Qwen", "DeepSeek", "gemma"] {
        let measured = |(spec, ..): &&(RunSpec, Model, InstanceType)| spec.model.as_str().contains(name);
        let kinds: BTreeSet<_> = targets
            .iter()
            .filter(measured)
            .map(|(.., instance)| instance.accelerator_kind.as_str())
            .collect();
        assert_eq!(kinds, BTreeSet::from(["gpu", "neuron"]), "{name}");
    }
}
