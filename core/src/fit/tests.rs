//! Fits worked out by hand.

use super::{
    Alternative, Demand, Experts, Fit, KvCachePrecision, Misfit, MissingFact, ModelFacts, Possible, Room,
    Shortage, Split, fit, fit_within, smallest_tensor_parallel,
};
use crate::instance::{AcceleratorKind, InstanceType};
use crate::model::Quantization;

pub(super) fn instance(kind: AcceleratorKind, count: i32, memory_gib: f64) -> InstanceType {
    InstanceType {
        instance_type: "g6e.xlarge".parse().unwrap(),
        family: "g6e".to_owned(),
        accelerator_kind: kind,
        accelerator_name: None,
        accelerator_count: Some(count),
        accelerator_memory_gib: Some(memory_gib),
        accelerator_bandwidth_gb_per_s: None,
        accelerator_bf16_tflops: None,
        interconnect: None,
        vcpu: None,
        memory_gib: None,
        source: "test".to_owned(),
    }
}

fn gpus(count: i32, memory_gib: f64) -> InstanceType {
    instance(AcceleratorKind::Gpu, count, memory_gib)
}

/// Llama 3.1 8B: 32 layers x 8 heads x 128 x 2 x 2 bytes are 131,072 a token.
fn llama_8b() -> ModelFacts {
    ModelFacts {
        params_total_b: Some(8.03),
        params_active_b: Some(8.03),
        layers: Some(32),
        attention_heads: Some(32),
        kv_heads: Some(8),
        kv_cache_bytes_per_token: Some(131_072.0),
        max_context_tokens: Some(131_072),
        experts: None,
    }
}

fn llama_70b() -> ModelFacts {
    ModelFacts {
        params_total_b: Some(70.55),
        params_active_b: Some(70.55),
        attention_heads: Some(64),
        kv_cache_bytes_per_token: Some(327_680.0),
        ..llama_8b()
    }
}

fn demand(context_tokens: u32) -> Demand {
    Demand {
        quantization: Quantization::Bf16,
        kv_cache: KvCachePrecision::Bf16,
        context_tokens,
        sequences: 1,
    }
}

fn misfit(fit: Fit) -> Misfit {
    match fit {
        Fit::DoesNotFit(misfit) => misfit,
        other => panic!("{other}"),
    }
}

#[test]
fn the_numbers_are_those_worked_out_by_hand() {
    // An L40S: 44.703 x 0.9 = 40.233; weights 16.06e9 bytes = 14.957; 40.233 - 14.957 - 1 = 24.276 GiB, at 8,192 tokens
    // a GiB 198,865 tokens: 24 sequences of 8,192.
    let Fit::Fits(room) = fit(&llama_8b(), &gpus(1, 44.703), &demand(8192), Split::tensor_parallel(1)) else {
        panic!("it fits")
    };
    assert!((room.weights_gib - 14.957).abs() < 0.001, "{room:?}");
    assert!((room.kv_cache_gib - 24.276).abs() < 0.001, "{room:?}");
    assert!(room.kv_cache_tokens.abs_diff(198_865) < 10, "{room:?}");
    assert_eq!((room.full_length_sequences, room.waiting_sequences, room.replicas_per_instance), (24, 0, 1));
    let crowded = Demand { sequences: 100, ..demand(8192) };
    let Fit::Fits(room) = fit(&llama_8b(), &gpus(1, 44.703), &crowded, Split::tensor_parallel(1)) else {
        panic!("waiting is no misfit")
    };
    assert_eq!(room.waiting_sequences, 76);
    assert!(room.to_string().contains("24 sequences of full length; 76 of those"), "{room}");
}

#[test]
fn the_smallest_degree_that_fits_is_chosen() {
    // 70B in bf16 is 131.4 GiB; two H100 have 144 usable, less 2 for the engine.
    for (model, count, memory_gib, context, degree) in [
        (llama_8b(), 8, 80.0, 8192, Some(1)),
        (llama_70b(), 8, 80.0, 8192, Some(2)),
        (llama_70b(), 8, 80.0, 131_072, Some(4)),
        (llama_70b(), 8, 22.352, 8192, Some(8)),
        (llama_70b(), 4, 22.352, 8192, None),
        (ModelFacts { attention_heads: Some(14), ..llama_70b() }, 8, 80.0, 8192, Some(2)),
    ] {
        let fit = smallest_tensor_parallel(&model, &gpus(count, memory_gib), &demand(context));
        assert_eq!(
            fit.room().map(|room| room.split.tensor_parallel),
            degree,
            "{count} x {memory_gib}: {fit}"
        );
        let filled = fit.room().map(|room| room.replicas_per_instance);
        assert_eq!(filled, degree.map(|degree| count as u32 / degree));
    }
}

#[test]
fn quantised_weights_keep_their_embeddings() {
    // Real files: AWQ of 8B 5.7 GB, of 70B 39.8 GB; FP8 of 8B 9.1 GB, of 70B 72.7 GB.
    for (model, quantization, gigabytes) in [
        (llama_8b(), Quantization::Int4, 5.7),
        (llama_70b(), Quantization::Int4, 39.8),
        (llama_8b(), Quantization::Fp8, 9.1),
        (llama_70b(), Quantization::Fp8, 72.7),
    ] {
        let demand = Demand { quantization, ..demand(1024) };
        let fit = fit(&model, &gpus(1, 141.0), &demand, Split::tensor_parallel(1));
        let weights = fit.room().unwrap().weights_gib * 1.073_741_824;
        assert!((weights / gigabytes - 1.0).abs() < 0.03, "{quantization}: {weights} for {gigabytes}");
    }
}

#[test]
fn what_is_short_is_said_with_what_would_fit() {
    let answer = fit(&llama_70b(), &gpus(8, 22.352), &demand(8192), Split::tensor_parallel(4));
    assert_eq!(
        answer.to_string(),
        "does not fit at tensor parallel 4: of 20.1 GiB usable on each accelerator weights take 32.9 and the engine \
         1.0, which is 13.7 too much; it would fit with tensor parallel 8, or with fp8 weights at tensor parallel 4"
    );
    // 32 x 0.9 - 14.957 - 1 = 12.843 GiB hold 105,210 tokens.
    let long = Demand { context_tokens: 120_000, ..demand(0) };
    let answer = fit(&llama_8b(), &gpus(1, 32.0), &long, Split::tensor_parallel(1));
    let Misfit { shortage, alternatives, .. } = misfit(answer);
    assert!(matches!(shortage, Shortage::KvCache { kv_cache_tokens: 105_000..106_000, .. }), "{shortage:?}");
    assert!(matches!(
        alternatives[..],
        [
            Alternative::Context { context_tokens: 105_000..106_000 },
            Alternative::KvCache { .. },
            Alternative::Quantization { quantization: Quantization::Fp8, tensor_parallel: 1 }
        ]
    ));
}

#[test]
fn splits_that_cannot_be_are_refused() {
    let shortage =
        |degree| misfit(fit(&llama_70b(), &gpus(8, 80.0), &demand(1024), Split::tensor_parallel(degree)));
    assert_eq!(shortage(16).shortage, Shortage::Accelerators { needed: 16, available: 8 });
    for degree in [0, 3, 6] {
        assert_eq!(shortage(degree).shortage, Shortage::Heads { attention_heads: Some(64) });
    }
    let too_long = misfit(fit(&llama_70b(), &gpus(8, 80.0), &demand(200_000), Split::tensor_parallel(8)));
    assert!(matches!(too_long.shortage, Shortage::ContextLimit { max_context_tokens: 131_072, .. }));
    assert!(too_long.alternatives.contains(&Alternative::Context { context_tokens: 131_072 }), "{too_long}");
    let chips = instance(AcceleratorKind::Neuron, 12, 32.0);
    let all = fit(&llama_70b(), &chips, &demand(8192), Split::tensor_parallel(12));
    assert!(all.room().is_some(), "Neuron splits over any number of chips: {all}");
}

#[test]
fn copies_of_the_cache_are_counted() {
    // Eight heads over sixteen accelerators: each head lies twice. A latent cache lies on each whole.
    for (kv_heads, degree, bytes) in [(8, 8, 16_384.0), (8, 16, 16_384.0), (1, 8, 131_072.0)] {
        let model = ModelFacts { kv_heads: Some(kv_heads), ..llama_8b() };
        let fit = fit(&model, &gpus(16, 80.0), &demand(1024), Split::tensor_parallel(degree));
        let room: &Room = fit.room().unwrap();
        assert!((room.kv_cache_bytes_per_token - bytes).abs() < 1e-9, "{room:?}");
    }
}

#[test]
fn experts_are_spread_where_the_attention_is_repeated() {
    // Llama 4 Scout: shared 10.9 and experts 96.9 (10^9), of which 1 of 16 is active: 21.8 + 48.4 GB on each of four.
    let scout = ModelFacts {
        params_total_b: Some(107.8),
        params_active_b: Some(10.9 + 96.9 / 16.0),
        experts: Some(Experts { count: 16, per_token: 1 }),
        kv_cache_bytes_per_token: Some(196_608.0),
        ..llama_8b()
    };
    let split = Split { tensor_parallel: 1, expert_parallel: 4 };
    let answer = fit(&scout, &gpus(8, 80.0), &demand(1024), split);
    let room = answer.room().unwrap();
    assert!((room.weights_gib - (21.8 + 48.45) / 1.073_741_824).abs() < 0.1, "{room:?}");
    assert_eq!(room.replicas_per_instance, 2);
    // Without the number of experts the bound is safe: it needs more.
    let unsure = ModelFacts { experts: None, ..scout };
    assert!(fit(&unsure, &gpus(8, 80.0), &demand(1024), split).room().is_none());
}

#[test]
fn without_the_size_of_the_cache_the_weights_alone_can_be_too_large() {
    let hybrid = ModelFacts { kv_cache_bytes_per_token: None, ..llama_70b() };
    let misfit = misfit(fit(&hybrid, &gpus(8, 80.0), &demand(1024), Split::tensor_parallel(2)));
    // 65.7 GiB of weights, 1 of the engine's and a fifth of the weights for a cache.
    assert!(matches!(misfit.shortage, Shortage::Weights { overhead_gib: 14.0..14.3, .. }), "{misfit}");
    let answer = fit(&hybrid, &gpus(8, 80.0), &demand(1024), Split::tensor_parallel(4));
    assert_eq!(answer, Fit::Unknown { missing: MissingFact::KvCacheBytesPerToken });
}

#[test]
fn what_the_engine_does_not_allow_is_not_offered() {
    let possible = Possible {
        parts_per_accelerator: 2,
        degrees: vec![1, 2, 8, 16, 32],
        quantizations: Vec::new(),
        kv_caches: vec![KvCachePrecision::Bf16],
    };
    let chips = instance(AcceleratorKind::Neuron, 16, 32.0);
    let answer = fit_within(&llama_70b(), &chips, &demand(1024), Split::tensor_parallel(8), &possible);
    assert_eq!(
        answer.to_string(),
        "does not fit at tensor parallel 8: of 14.4 GiB usable on each NeuronCore weights take 16.4 and the engine \
         1.0, which is 3.0 too much; it would fit with tensor parallel 16"
    );
}

#[test]
fn missing_or_odd_facts_make_no_answer() {
    for odd in [None, Some(0.0), Some(f64::NAN), Some(-1.0), Some(f64::INFINITY)] {
        let model = ModelFacts { params_total_b: odd, ..llama_8b() };
        let answer = smallest_tensor_parallel(&model, &gpus(1, 80.0), &demand(1));
        assert_eq!(answer, Fit::Unknown { missing: MissingFact::Parameters });
        let model = ModelFacts { kv_cache_bytes_per_token: odd, ..llama_8b() };
        let answer = smallest_tensor_parallel(&model, &gpus(1, 80.0), &demand(1));
        assert_eq!(answer, Fit::Unknown { missing: MissingFact::KvCacheBytesPerToken });
        let machine = InstanceType { accelerator_memory_gib: odd, ..gpus(1, 80.0) };
        let answer = smallest_tensor_parallel(&llama_8b(), &machine, &demand(1));
        assert_eq!(answer, Fit::Unknown { missing: MissingFact::AcceleratorMemory });
    }
    for count in [None, Some(0), Some(-1)] {
        let machine = InstanceType { accelerator_count: count, ..gpus(1, 80.0) };
        let answer = smallest_tensor_parallel(&llama_8b(), &machine, &demand(1));
        assert_eq!(answer, Fit::Unknown { missing: MissingFact::AcceleratorCount });
    }
    let huge = Demand { context_tokens: u32::MAX, sequences: u32::MAX, ..demand(0) };
    for (total, memory) in [(1e300, 1.0), (1e-300, 1e300), (f64::MAX, f64::MAX)] {
        let model = ModelFacts { params_total_b: Some(total), max_context_tokens: None, ..llama_8b() };
        let _ = smallest_tensor_parallel(&model, &gpus(i32::MAX, memory), &huge).to_string();
    }
}
