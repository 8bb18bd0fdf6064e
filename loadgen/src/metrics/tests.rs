use std::time::Duration;

use accelbench_core::observed::Observed;
use proptest::prelude::*;

use super::accelerators::AcceleratorLook;
use super::engine::EngineLook;
use super::scrape::Page;
use super::{Look, accelerators, engine, of_accelerators, of_engine};

const VLLM: &str = include_str!("../../samples/vllm-0.32.0-metrics.txt");
const LLAMA_CPP: &str = include_str!("../../samples/llama-cpp-metrics.txt");

fn engine_look(page: &str) -> Result<EngineLook, String> {
    engine::look(&Page::parse(page.as_bytes()).unwrap())
}

fn accelerator_look(page: &str) -> Result<AcceleratorLook, String> {
    accelerators::look(&[Page::parse(page.as_bytes()).unwrap()])
}

/// Looks a second apart.
fn looks(engines: &[&str], exporters: &[&str]) -> Vec<Look> {
    let look = |(second, (engine, exporter)): (u64, (&&str, &&str))| Look {
        at: Duration::from_secs(second),
        engine: engine_look(engine),
        accelerators: accelerator_look(exporter),
    };
    (0..).zip(engines.iter().zip(exporters)).map(look).collect()
}

fn vllm(replica: u32, running: f64, kv: f64, queries: f64, hits: f64, tokens: f64) -> String {
    let label = format!("{{engine=\"{replica}\",model_name=\"m\"}}");
    format!(
        "vllm:num_requests_running{label} {running}\nvllm:num_requests_waiting{label} 1\n\
         vllm:kv_cache_usage_perc{label} {kv}\nvllm:prefix_cache_queries_total{label} {queries}\n\
         vllm:prefix_cache_hits_total{label} {hits}\nvllm:generation_tokens_total{label} {tokens}\n\
         vllm:num_preemptions_total{label} 0\nvllm:prompt_tokens_total{label} {queries}\n"
    )
}

const DCGM: &str = "\
# HELP DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION Total energy consumption since boot (in mJ).
# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu=\"0\",modelName=\"NVIDIA L40S\",Hostname=\"n\"} 5000000
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu=\"1\",modelName=\"NVIDIA L40S\",Hostname=\"n\"} 7000000
DCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} 200.5
DCGM_FI_DEV_POWER_USAGE{gpu=\"1\"} 99.5
DCGM_FI_DEV_FB_USED{gpu=\"0\"} 40960
DCGM_FI_DEV_FB_USED{gpu=\"1\"} 20480
DCGM_FI_DEV_GPU_UTIL{gpu=\"0\"} 100
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=\"0\"} 0.9
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=\"1\"} 0.7
DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{gpu=\"0\"} 0.25
";

const NEURON: &str = "\
neuroncore_utilization_ratio{instance_type=\"inf2.xlarge\",neuroncore=\"0\"} 0.5
neuroncore_utilization_ratio{instance_type=\"inf2.xlarge\",neuroncore=\"1\"} 0.3
neuron_runtime_memory_used_bytes{memory_location=\"host\",runtime_tag=\"367\"} 9.043968e+06
neuron_runtime_memory_used_bytes{memory_location=\"neuron_device\",runtime_tag=\"367\"} 2.147483648e+09
";

fn value(observed: &Observed<f64>) -> f64 {
    *observed.value().unwrap_or_else(|| panic!("{observed:?}"))
}

#[test]
fn the_pages_of_real_engines_are_understood() {
    let vllm = engine_look(VLLM).unwrap();
    assert_eq!((vllm.running, vllm.waiting, vllm.kv_cache_usage_percent), (Some(0.0), Some(0.0), Some(0.0)));
    let metrics = of_engine(&looks(&[VLLM, VLLM], &[DCGM, DCGM]));
    let told = metrics.all().iter().filter(|(_, observed)| observed.value().is_some()).count();
    // Nothing was looked up in the cache between two equal pages.
    assert_eq!((told, metrics.prefix_cache_hit_share.value()), (8, None));
    let llama_cpp = engine_look(LLAMA_CPP).unwrap();
    assert_eq!((llama_cpp.running, llama_cpp.kv_cache_usage_percent), (Some(0.0), None));
}

#[test]
fn a_window_is_what_lies_between_its_looks_over_all_replicas() {
    let first = vllm(0, 3.0, 0.2, 100.0, 0.0, 1000.0) + &vllm(1, 5.0, 0.4, 100.0, 0.0, 1000.0);
    let last = vllm(0, 5.0, 0.4, 300.0, 100.0, 1400.0) + &vllm(1, 7.0, 0.6, 300.0, 100.0, 1600.0);
    let metrics = of_engine(&looks(&[&first, &first, &last], &[DCGM; 3]));
    assert!((value(&metrics.requests_running_mean) - 28.0 / 3.0).abs() < 1e-9);
    assert!((value(&metrics.kv_cache_usage_max_percent) - 50.0).abs() < 1e-9);
    assert!((value(&metrics.prefix_cache_hit_share) - 0.5).abs() < 1e-9);
    assert!((value(&metrics.output_tokens_per_s) - 500.0).abs() < 1e-9);
    assert!((value(&metrics.input_tokens_per_s) - 200.0).abs() < 1e-9);
}

#[test]
fn an_engine_that_was_started_anew_has_no_growth() {
    let (before, after) = (vllm(0, 1.0, 0.0, 100.0, 0.0, 1000.0), vllm(0, 1.0, 0.0, 5.0, 0.0, 10.0));
    let metrics = of_engine(&looks(&[&before, &after], &[DCGM; 2]));
    assert!(metrics.output_tokens_per_s.absent_reason().is_some());
    assert!(metrics.requests_running_mean.value().is_some());
}

#[test]
fn gpus_are_added_up() {
    let later = DCGM.replace("5000000", "5600000");
    let metrics = of_accelerators(&looks(&[VLLM, VLLM], &[DCGM, &later]));
    assert!((value(&metrics.utilization_percent) - 80.0).abs() < 1e-9);
    assert!((value(&metrics.tensor_active_percent) - 25.0).abs() < 1e-9);
    assert!((value(&metrics.memory_peak_gib) - 60.0).abs() < 1e-9);
    assert!((value(&metrics.power_w) - 300.0).abs() < 1e-9);
    let (joules, seconds) = metrics.energy.unwrap();
    assert!((joules - 600.0).abs() < 1e-9 && (seconds - 1.0).abs() < 1e-9);
}

#[test]
fn neuron_cores_are_understood() {
    let metrics = of_accelerators(&looks(&[VLLM], &[NEURON]));
    assert!((value(&metrics.utilization_percent) - 40.0).abs() < 1e-9);
    assert!((value(&metrics.memory_peak_gib) - 2.0).abs() < 1e-9);
    assert!(metrics.power_w.absent_reason().unwrap().contains("does not say"));
}

#[test]
fn what_is_missing_has_its_reason() {
    let look = Look {
        at: Duration::ZERO,
        engine: Err("http://e/metrics answers 501 Not Implemented".to_owned()),
        accelerators: accelerators::look(&[]),
    };
    assert!(of_engine(std::slice::from_ref(&look)).preemptions.absent_reason().unwrap().contains("501"));
    assert!(of_accelerators(&[look]).power_w.absent_reason().unwrap().contains("no exporter"));
    assert!(of_engine(&[]).preemptions.absent_reason().unwrap().contains("no look"));
    assert!(engine_look("up 1").unwrap_err().contains("nothing that is known"));
}

proptest! {
    #[test]
    fn no_page_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Some(page) = Page::parse(bytes) {
                let _ = engine::look(&page);
                let _ = accelerators::look(&[page]);
            }
        }
    }

    #[test]
    fn no_damage_to_a_real_page_makes_it_panic(at in 0..VLLM.len(), garbage in "[\"{}=,\\\\ \n0-9a-z]{0,20}") {
        let mut page = VLLM.as_bytes()[..at].to_vec();
        page.extend_from_slice(garbage.as_bytes());
        page.extend_from_slice(&VLLM.as_bytes()[at..]);
        if let Some(page) = Page::parse(&page) {
            let _ = engine::look(&page);
        }
    }
}
