use serde_json::json;

use super::{
    DeploymentPlan, DeploymentRequest, Nearest, PrefixCaching, ProfileName, Unsupported, choose,
    published_quantization,
};
use crate::instance::InstanceType;
use crate::model::{Model, Quantization};
use crate::run::RunSpec;

fn model(name: &str, params_b: f64) -> Model {
    serde_json::from_value(json!({
        "model": name, "family": null, "params_total_b": params_b, "params_active_b": params_b, "layers": null,
        "kv_cache_bytes_per_token": null, "max_context_tokens": 131_072, "gated": true, "licence": null,
        "source": "test",
    }))
    .unwrap()
}

/// Accelerator name, count, GiB of each, vCPU and GiB of the host.
fn instance(name: &str) -> InstanceType {
    let (kind, accelerator, count, gib, vcpu, memory_gib) = match name {
        "g5.xlarge" => ("gpu", "A10G", 1, 22.352, 4, 16.0),
        "g6.12xlarge" => ("gpu", "L4", 4, 22.352, 48, 192.0),
        "g6e.xlarge" => ("gpu", "L40S", 1, 44.703, 4, 32.0),
        "p4d.24xlarge" => ("gpu", "A100", 8, 40.0, 96, 1152.0),
        "p5.48xlarge" => ("gpu", "H100", 8, 80.0, 192, 2048.0),
        "inf2.48xlarge" => ("neuron", "Inferentia2", 12, 32.0, 192, 768.0),
        "trn1.32xlarge" => ("neuron", "Trainium", 16, 32.0, 128, 512.0),
        "trn2.48xlarge" => ("neuron", "Trainium2", 16, 96.0, 192, 2048.0),
        _ => ("unknown", "", 0, 0.0, 4, 16.0),
    };
    let family = name.split('.').next();
    serde_json::from_value(json!({
        "instance_type": name, "family": family, "accelerator_kind": kind, "accelerator_name": accelerator,
        "accelerator_count": count, "accelerator_memory_gib": gib, "accelerator_bandwidth_gb_per_s": null,
        "accelerator_bf16_tflops": null, "interconnect": null, "vcpu": vcpu, "memory_gib": memory_gib,
        "source": "test",
    }))
    .unwrap()
}

fn plan(
    of: (&str, f64),
    on: &str,
    quantization: Option<Quantization>,
    tensor_parallel: Option<u32>,
) -> Result<DeploymentPlan, Unsupported> {
    choose(&DeploymentRequest {
        model: &model(of.0, of.1),
        revision: None,
        instance: &instance(on),
        quantization,
        tensor_parallel,
        context_tokens: 2048,
        sequences: 16,
        prefix_caching: PrefixCaching::Off,
    })
}

const SMALL: (&str, f64) = ("meta-llama/Llama-3.1-8B", 8.03);
const LARGE: (&str, f64) = ("meta-llama/Llama-3.1-70B-Instruct", 70.554);
const FP8: Option<Quantization> = Some(Quantization::Fp8);

#[test]
fn the_smallest_split_that_holds_the_weights_is_repeated_until_the_instance_is_full() {
    for (of, on, quantization, spread) in [
        (SMALL, "g5.xlarge", None, "one replica over 1 GPU: 1 of 1 chips used"),
        (SMALL, "g6.12xlarge", None, "4 replicas over 1 GPU each: 4 of 4 chips used"),
        (LARGE, "p5.48xlarge", None, "2 replicas over 4 GPUs each: 8 of 8 chips used"),
        (LARGE, "p5.48xlarge", FP8, "4 replicas over 2 GPUs each: 8 of 8 chips used"),
        (SMALL, "inf2.48xlarge", None, "one replica over 2 logical NeuronCores: 1 of 12 chips used"),
        (LARGE, "trn1.32xlarge", None, "one replica over 16 logical NeuronCores: 8 of 16 chips used"),
        (LARGE, "trn2.48xlarge", None, "one replica over 8 logical NeuronCores: 2 of 16 chips used"),
    ] {
        let plan = plan(of, on, quantization, None).unwrap();
        assert_eq!(plan.parallelism.to_string(), spread, "{} on {on}", of.0);
    }
}

/// Llama 3.1 70B with all its facts.
fn large() -> Model {
    Model {
        layers: Some(80),
        kv_cache_bytes_per_token: Some(327_680.0),
        attention_heads: Some(64),
        kv_heads: Some(8),
        ..model(LARGE.0, LARGE.1)
    }
}

#[test]
fn a_split_holds_the_requests_that_are_asked_for_or_most_of_them() {
    // Two H100 have 144 GiB usable, less 131.4 of weights and 2 of the engine's: room for 11 requests of 3,072 tokens.
    for (model, on, sequences, spread, max_sequences) in [
        (large(), "p5.48xlarge", 16, "4 replicas over 2 GPUs each: 8 of 8 chips used", 16),
        (large(), "p5.48xlarge", 128, "2 replicas over 4 GPUs each: 8 of 8 chips used", 128),
        (large(), "p5.48xlarge", 512, "one replica over 8 GPUs: 8 of 8 chips used", 512),
        // 14 heads are not split over 4.
        (
            Model { attention_heads: Some(14), ..large() },
            "p5.48xlarge",
            512,
            "4 replicas over 2 GPUs each: 8 of 8 chips used",
            512,
        ),
        // Compiled engines reserve room for every row, and have no more rows than there is room for.
        (large(), "trn2.48xlarge", 4, "one replica over 8 logical NeuronCores: 2 of 16 chips used", 4),
        (large(), "trn1.32xlarge", 32, "one replica over 16 logical NeuronCores: 8 of 16 chips used", 32),
    ] {
        let plan = choose(&DeploymentRequest {
            tensor_parallel: None,
            ..DeploymentRequest::of_context(&model, &instance(on), 3072, sequences)
        })
        .unwrap();
        assert_eq!(
            (plan.parallelism.to_string().as_str(), plan.max_sequences),
            (spread, max_sequences),
            "{on}"
        );
    }
    let plan = choose(&DeploymentRequest {
        tensor_parallel: Some(8),
        ..DeploymentRequest::of_context(&large(), &instance("trn2.48xlarge"), 32_768, 32)
    })
    .unwrap();
    assert_eq!(Some(u64::from(plan.max_sequences)), plan.room.map(|room| room.full_length_sequences));
    assert!(plan.max_sequences < 32, "{}", plan.max_sequences);
}

#[test]
fn the_configuration_tells_more_of_the_weights_than_the_name() {
    let published = |quantization| {
        let model = Model { published_quantization: quantization, ..model("deepseek-ai/DeepSeek-V3", 671.0) };
        published_quantization(&model)
    };
    assert_eq!(published(FP8), FP8);
    assert_eq!((published(None), published(Some(Quantization::Bf16))), (None, None));
}

#[test]
fn the_same_quantisation_has_another_label_on_another_chip() {
    for (of, on, quantization, label, argument) in [
        (SMALL, "g5.xlarge", FP8, "weight-only on Ampere (W8A16)", "--quantization fp8_per_tensor"),
        (
            SMALL,
            "g6e.xlarge",
            FP8,
            "converted per tensor when loaded (W8A8)",
            "--quantization fp8_per_tensor",
        ),
        (
            LARGE,
            "p5.48xlarge",
            Some(Quantization::Int4),
            "NF4 by bitsandbytes",
            "--quantization bitsandbytes",
        ),
        (SMALL, "p5.48xlarge", Some(Quantization::Bf16), "BF16 (W16A16)", "--dtype bfloat16"),
        (SMALL, "p5.48xlarge", Some(Quantization::Fp16), "FP16 (W16A16)", "--dtype float16"),
        (SMALL, "trn2.48xlarge", None, "BF16 (W16A16)", "--dtype bfloat16"),
    ] {
        let plan = plan(of, on, quantization, None).unwrap();
        assert!(plan.precision.label.contains(label), "{on}: {}", plan.precision.label);
        assert!(plan.arguments.join(" ").contains(argument), "{on}: {:?}", plan.arguments);
    }
}

#[test]
fn checkpoints_that_come_quantised_get_no_flag() {
    for (name, on, label) in [
        ("meta-llama/Llama-3.1-405B-Instruct-FP8", "p5.48xlarge", "FP8 as published (W8A8)"),
        ("neuralmagic/Llama-8B-FP8", "p4d.24xlarge", "FP8 as published, weight-only on Ampere (W8A16)"),
        ("hugging-quants/Llama-70B-AWQ-INT4", "p5.48xlarge", "4 bits as published (W4A16)"),
        ("RedHatAI/Llama-quantized.w8a8", "p5.48xlarge", "INT8 as published (W8A8)"),
        ("amazon/Llama-70B-FP8", "trn2.48xlarge", "FP8 as published"),
    ] {
        let plan = plan((name, 70.0), on, None, None).unwrap();
        assert_eq!(plan.precision.label, label);
        assert!(!plan.arguments.join(" ").contains("--quantization"), "{name}");
    }
    assert_eq!(published_quantization(&model(SMALL.0, SMALL.1)), None);
}

#[test]
fn what_does_not_work_is_refused_with_the_nearest_that_does() {
    let quantization = |quantization| Nearest { quantization: Some(quantization), tensor_parallel: None };
    let degree = |degree| Nearest { quantization: None, tensor_parallel: Some(degree) };
    for (of, on, asked, tensor_parallel, nearest, part) in [
        (SMALL, "local", None, None, Nearest::default(), "no engine profile serves local"),
        (SMALL, "p5.48xlarge", Some(Quantization::Int8), None, quantization(Quantization::Fp8), "w8a8"),
        (SMALL, "trn2.48xlarge", FP8, None, quantization(Quantization::Bf16), "converts nothing"),
        (SMALL, "inf2.48xlarge", FP8, None, quantization(Quantization::Bf16), "nearest that works is bf16"),
        (("a/B-AWQ", 8.0), "trn2.48xlarge", None, None, quantization(Quantization::Bf16), "16-bit original"),
        (
            ("a/B-FP8", 8.0),
            "p5.48xlarge",
            Some(Quantization::Bf16),
            None,
            quantization(Quantization::Fp8),
            "published",
        ),
        (
            LARGE,
            "p5.48xlarge",
            None,
            Some(1),
            degree(4),
            "of 72.0 GiB usable on each accelerator weights take 131.4 and the engine",
        ),
        (LARGE, "p5.48xlarge", None, Some(16), degree(8), "which has 8 GPUs"),
        (SMALL, "trn1.32xlarge", None, Some(4), degree(2), "which has 32 logical NeuronCores"),
        (LARGE, "g6.12xlarge", None, None, quantization(Quantization::Int4), "would fit with int4 weights"),
        (
            ("a/B", 150.0),
            "p4d.24xlarge",
            None,
            None,
            quantization(Quantization::Fp8),
            "would fit with fp8 weights",
        ),
        (
            ("a/B", 60.0),
            "g6e.xlarge",
            None,
            Some(1),
            quantization(Quantization::Int4),
            "would fit with int4 weights",
        ),
        (LARGE, "g5.xlarge", None, Some(1), Nearest::default(), "choose a larger one"),
    ] {
        let error = plan(of, on, asked, tensor_parallel).unwrap_err();
        assert_eq!(error.nearest(), nearest, "{} on {on}: {error}", of.0);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_model_of_unknown_size_is_not_deployed() {
    let mut unknown = model(SMALL.0, SMALL.1);
    unknown.params_total_b = None;
    let instance = instance("g6e.xlarge");
    let error = choose(&DeploymentRequest {
        model: &unknown,
        revision: None,
        instance: &instance,
        quantization: None,
        tensor_parallel: Some(1),
        context_tokens: 2048,
        sequences: 16,
        prefix_caching: PrefixCaching::Off,
    });
    assert!(error.unwrap_err().to_string().contains("number of parameters of meta-llama/Llama-3.1-8B"));
}

#[test]
fn every_plan_says_what_makes_results_comparable_and_runs_no_code_of_the_model() {
    for on in ["g5.xlarge", "p5.48xlarge", "inf2.48xlarge", "trn1.32xlarge", "trn2.48xlarge"] {
        let plan = plan(SMALL, on, None, None).unwrap();
        let line = plan.arguments.join(" ");
        assert!(
            line.starts_with("meta-llama/Llama-3.1-8B --served-model-name meta-llama/Llama-3.1-8B"),
            "{line}"
        );
        for flag in
            ["--no-enable-prefix-caching", "--seed 0", "--generation-config vllm", "--max-model-len 3072"]
        {
            assert!(line.contains(flag), "{on}: {flag}: {line}");
        }
        assert!(!line.contains("trust-remote-code"), "{line}");
        assert_eq!(plan.accelerators.count, plan.parallelism.chips, "all chips are asked for on {on}");
    }
}

#[test]
fn neuron_engines_are_told_their_static_shapes() {
    let on_trainium2 = plan(SMALL, "trn2.48xlarge", None, None).unwrap();
    assert_eq!(on_trainium2.profile, ProfileName::VllmNeuron);
    let buckets =
        r#"{"neuron_config":{"num_batched_tokens_buckets":[512,2048,3072],"num_seqs_buckets":[1,4,16]}}"#;
    assert!(on_trainium2.arguments.contains(&buckets.to_owned()), "{:?}", on_trainium2.arguments);
    let on_inferentia2 = plan(SMALL, "inf2.48xlarge", None, None).unwrap();
    assert_eq!(on_inferentia2.profile, ProfileName::VllmNxdi);
    assert!(on_inferentia2.arguments.join(" ").contains("--block-size 32 --num-gpu-blocks-override 1536"));
    assert_eq!(on_inferentia2.startup_budget_s, 3600);
}

#[test]
fn larger_models_get_more_time_and_disk() {
    let budget = |of, quantization| plan(of, "p5.48xlarge", quantization, None).unwrap();
    assert_eq!((budget(SMALL, None).startup_budget_s, budget(SMALL, None).disk_gib), (600, 58));
    // What is downloaded are the 16-bit weights, whatever they are converted to.
    assert_eq!((budget(LARGE, FP8).startup_budget_s, budget(LARGE, FP8).disk_gib), (1800, 198));
}

#[test]
fn a_run_asks_for_what_its_workload_needs() {
    let spec: RunSpec = serde_json::from_value(json!({
        "model": SMALL.0, "instance_type": "g6e.xlarge", "platform": {"kind": "local", "engine": "simulator"},
        "revision": "0123456789abcdef0123456789abcdef01234567",
        "workload": {"lengths": {"kind": "fixed", "input_tokens": 4000, "output_tokens": 500}, "shared_prefix_tokens": 9},
        "load_points": [{"concurrency": 4}, {"concurrency": 64}],
    }))
    .unwrap();
    let (model, instance) = (model(SMALL.0, SMALL.1), instance("g6e.xlarge"));
    let plan = choose(&DeploymentRequest::of_run(&spec, &model, &instance)).unwrap();
    assert_eq!((plan.max_context_tokens, plan.max_sequences), (5120, 64));
    let line = plan.arguments.join(" ");
    assert!(
        line.contains("--revision 0123456789abcdef") && line.contains("--enable-prefix-caching"),
        "{line}"
    );
}
