//! Estimates that can be checked by hand, and the answers where there is nothing to estimate.

use proptest::prelude::{prop_assert, proptest};

use super::roofline::Work;
use super::{Bound, CALIBRATED, Estimates, Factors, NoEstimate, Serving, predict};
use crate::fit::{KvCachePrecision, MissingFact, ModelFacts, Split};
use crate::instance::{AcceleratorKind, InstanceType};
use crate::model::Quantization;

fn llama_8b() -> ModelFacts {
    ModelFacts {
        params_total_b: Some(8.0),
        params_active_b: Some(8.0),
        layers: Some(32),
        kv_heads: Some(8),
        kv_cache_bytes_per_token: Some(131_072.0),
        ..ModelFacts::default()
    }
}

fn h100(count: i32) -> InstanceType {
    InstanceType {
        instance_type: "p5.48xlarge".parse().unwrap(),
        family: "p5".to_owned(),
        accelerator_kind: AcceleratorKind::Gpu,
        accelerator_name: Some("H100".to_owned()),
        accelerator_count: Some(count),
        accelerator_memory_gib: Some(80.0),
        accelerator_bandwidth_gb_per_s: Some(3350.0),
        accelerator_bf16_tflops: Some(989.0),
        interconnect: Some("NVSwitch (NVLink 4, 900 GB/s bidirectional per GPU)".to_owned()),
        vcpu: None,
        memory_gib: None,
        source: "test".to_owned(),
    }
}

fn serving(concurrency: f64) -> Serving {
    Serving {
        quantization: Quantization::Bf16,
        kv_cache: KvCachePrecision::Bf16,
        split: Split::tensor_parallel(1),
        replicas: 1,
        input_tokens: 1000.0,
        cached_input_share: 0.0,
        output_tokens: 200.0,
        concurrency,
    }
}

fn estimates(model: &ModelFacts, instance: &InstanceType, serving: &Serving) -> Estimates {
    predict(model, instance, serving).unwrap()
}

#[test]
fn a_perfect_machine_is_the_roofline_itself() {
    // 16 GB and 10 caches of 1,100 tokens (1.442 GB) at 3,350 GB/s are 5.206 ms a step. Reading 1,000 tokens are 16 and
    // 0.3 (attention: 2 x 10^6 x 4,564 x 32) TFLOP at 989 TFLOP/s: 16.47 ms, for ten requests in the time of 200 steps.
    let perfect = Factors {
        memory_efficiency: 1.0,
        compute_efficiency: 1.0,
        expert_prefill_share: 1.0,
        neuron_compute_efficiency: 1.0,
        layer_us: 0.0,
        expert_layer_us: 0.0,
        neuron_layer_us: 0.0,
        nvlink_reduce_us: 0.0,
        pcie_reduce_us: 0.0,
        neuron_link_reduce_us: 0.0,
        step_us: 0.0,
        input_layer_us: 0.0,
        speed: [1.0; 7],
    };
    let work = Work::of(&llama_8b(), &h100(1), &serving(10.0)).unwrap();
    let times = work.times(&perfect);
    assert!((times.step_s() - 0.005_206_5).abs() < 1e-6, "{times:?}");
    let prefill_s = (16e12 + 2e12 * 4564.4e-6 * 32.0) / 989e12;
    let expected = 10.0 / (200.0 * 0.005_206_5 + 10.0 * prefill_s);
    assert!((work.requests_per_s(&times) / expected - 1.0).abs() < 1e-3, "{times:?}");
    assert_eq!(times.bound(), Bound::MemoryBandwidth);
}

#[test]
fn one_stream_on_an_h100_is_about_as_fast_as_everybody_sees() {
    // Published single-stream speeds of vLLM for an 8B model on an H100 lie at 110 to 150 tokens/s.
    let one = estimates(&llama_8b(), &h100(1), &serving(1.0));
    assert!((90.0..160.0).contains(&one.output_tokens_per_s.value), "{one:?}");
    assert!(one.generation_calibrated && one.bound == Bound::MemoryBandwidth, "{one:?}");
}

#[test]
fn what_does_not_run_at_once_waits() {
    // 8B in bf16 leave 56.1 GiB of 80 for 8,192 tokens each: 382 sequences of 1,200.
    let full = estimates(&llama_8b(), &h100(1), &serving(382.0));
    let crowded = estimates(&llama_8b(), &h100(1), &serving(764.0));
    assert!((crowded.running_sequences - full.running_sequences).abs() < 3.0, "{crowded:?}");
    let same = crowded.output_tokens_per_s.value / full.output_tokens_per_s.value;
    assert!((same - 1.0).abs() < 0.02, "{crowded:?}");
    assert!(crowded.ttft_ms.value > 3.0 * full.ttft_ms.value, "{crowded:?} {full:?}");
    assert!((crowded.e2e_ms.value / full.e2e_ms.value - 2.0).abs() < 0.05, "{crowded:?} {full:?}");
}

#[test]
fn experts_make_single_streams_fast_and_batches_slow() {
    let mixture = ModelFacts { params_total_b: Some(30.0), params_active_b: Some(3.0), ..llama_8b() };
    let dense = ModelFacts { params_active_b: Some(30.0), ..mixture.clone() };
    let gain = |concurrency| {
        let of = |model| estimates(model, &h100(1), &serving(concurrency)).output_tokens_per_s.value;
        of(&mixture) / of(&dense)
    };
    assert!(gain(1.0) > 2.0 && gain(16.0) < 1.5, "{} {}", gain(1.0), gain(16.0));
}

#[test]
fn cached_input_needs_no_reading() {
    let cached = Serving { cached_input_share: 1.0, ..serving(32.0) };
    let (cached, fresh) =
        (estimates(&llama_8b(), &h100(1), &cached), estimates(&llama_8b(), &h100(1), &serving(32.0)));
    assert!(cached.output_tokens_per_s.value > 1.2 * fresh.output_tokens_per_s.value, "{cached:?} {fresh:?}");
    assert!((cached.tpot_ms.value / cached.itl_ms.value - 1.0).abs() < 0.01, "{cached:?}");
    assert!(fresh.tpot_ms.value > 1.2 * fresh.itl_ms.value, "{fresh:?}");
}

#[test]
fn a_replica_takes_its_share_of_the_load() {
    let eight = Serving { replicas: 8, ..serving(80.0) };
    let one = estimates(&llama_8b(), &h100(1), &serving(10.0)).output_tokens_per_s.value;
    let all = estimates(&llama_8b(), &h100(8), &eight).output_tokens_per_s.value;
    assert!((all / one - 8.0).abs() < 1e-9);
    let idle = Serving { replicas: 8, ..serving(2.0) };
    let two = estimates(&llama_8b(), &h100(8), &idle).output_tokens_per_s.value;
    let single = estimates(&llama_8b(), &h100(1), &serving(1.0)).output_tokens_per_s.value;
    assert!((two / single - 2.0).abs() < 1e-9, "two requests keep two replicas busy");
}

#[test]
fn without_facts_or_room_there_is_no_estimate() {
    let unknown = |missing| Err(NoEstimate::Unknown { missing });
    let no_layers = ModelFacts { layers: None, ..llama_8b() };
    assert_eq!(predict(&no_layers, &h100(1), &serving(1.0)), unknown(MissingFact::Layers));
    let no_cache = ModelFacts { kv_cache_bytes_per_token: None, ..llama_8b() };
    assert_eq!(predict(&no_cache, &h100(1), &serving(1.0)), unknown(MissingFact::KvCacheBytesPerToken));
    let no_bandwidth = InstanceType { accelerator_bandwidth_gb_per_s: None, ..h100(1) };
    assert_eq!(
        predict(&llama_8b(), &no_bandwidth, &serving(1.0)),
        unknown(MissingFact::AcceleratorBandwidth)
    );
    let large = ModelFacts { params_total_b: Some(70.0), ..llama_8b() };
    assert!(matches!(predict(&large, &h100(1), &serving(1.0)), Err(NoEstimate::DoesNotFit(_))));
    let odd = Serving { replicas: 0, ..serving(1.0) };
    assert_eq!(predict(&llama_8b(), &h100(1), &odd), Err(NoEstimate::Odd));
}

#[test]
fn an_unknown_accelerator_is_estimated_but_said_to_be() {
    let b200 = InstanceType { accelerator_name: Some("B200".to_owned()), ..h100(1) };
    assert!(!estimates(&llama_8b(), &b200, &serving(1.0)).generation_calibrated);
    let unheard =
        InstanceType { accelerator_name: None, accelerator_bf16_tflops: None, interconnect: None, ..h100(1) };
    assert!(!estimates(&llama_8b(), &unheard, &serving(1.0)).generation_calibrated);
}

proptest! {
    #[test]
    fn more_load_brings_no_less_throughput_and_no_less_latency(
        concurrency in 1.0_f64..500.0, more in 1.01_f64..4.0, input in 1.0_f64..8000.0, output in 2.0_f64..2000.0
    ) {
        let of = |concurrency| {
            let serving = Serving { input_tokens: input, output_tokens: output, ..serving(concurrency) };
            estimates(&llama_8b(), &h100(1), &serving)
        };
        let (less, more) = (of(concurrency), of(concurrency * more));
        let at_least = |more: f64, less: f64| more >= less * (1.0 - 1e-9);
        prop_assert!(at_least(more.output_tokens_per_s.value, less.output_tokens_per_s.value));
        prop_assert!(at_least(more.e2e_ms.value, less.e2e_ms.value));
        prop_assert!(at_least(more.ttft_ms.value, less.ttft_ms.value));
    }

    #[test]
    fn odd_numbers_never_panic(
        numbers in proptest::array::uniform8(proptest::prelude::prop_oneof![
            proptest::prelude::any::<f64>(),
            proptest::prelude::Just(0.0),
            1.0_f64..1e6,
        ]),
        split in 0_u32..100,
        replicas in 0_u32..100,
    ) {
        let [total, active, cache, memory, bandwidth, input, output, concurrency] = numbers;
        let model = ModelFacts {
            params_total_b: Some(total),
            params_active_b: Some(active),
            kv_cache_bytes_per_token: Some(cache),
            ..llama_8b()
        };
        let instance = InstanceType {
            accelerator_memory_gib: Some(memory),
            accelerator_bandwidth_gb_per_s: Some(bandwidth),
            ..h100(8)
        };
        let serving = Serving {
            input_tokens: input,
            output_tokens: output,
            split: Split { tensor_parallel: split, expert_parallel: 1 },
            replicas,
            ..serving(concurrency)
        };
        if let Ok(estimates) = predict(&model, &instance, &serving) {
            prop_assert!(estimates.ttft_ms.low <= estimates.ttft_ms.value);
            prop_assert!(estimates.e2e_ms.high.is_finite() && estimates.e2e_ms.low > 0.0);
        }
    }
}

#[test]
fn the_intervals_hold_the_estimate() {
    for intervals in [CALIBRATED.gpu, CALIBRATED.neuron] {
        for interval in
            [intervals.throughput, intervals.ttft, intervals.tpot, intervals.throughput.inverted()]
        {
            let around = interval.around(10.0);
            assert!(around.low <= 10.0 && around.high >= 10.0, "{around:?}");
        }
    }
}
