use std::num::NonZeroU32;

use serde_json::{Value, json};

use super::{Measured, UnreadableFile, import};
use crate::exchange::Form;
use crate::imported::MeasurementKind;
use crate::load::examples::{plan, report};
use crate::load::{Arrivals, OfferedLoad, RequestRate};
use crate::metric::{Latency, Metric, Statistic};

/// Written by `vllm bench serve --save-detailed` of vLLM 0.32, without its lists of single requests.
const VLLM: &str = include_str!("samples/vllm-0.32.0.json");

fn vllm(changes: &Value) -> Result<Measured, UnreadableFile> {
    let mut file: Value = serde_json::from_str(VLLM).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        file[key] = value.clone();
    }
    import(&file).map(|mut measured| measured.remove(0))
}

/// As the schemas of `GuideLLM` 0.8.1 say.
fn guidellm(strategy: &Value) -> Value {
    let by_status = |mean: f64, p99: f64| {
        json!({"successful": {
            "mean": mean, "median": mean, "count": 95, "std_dev": 1.0,
            "percentiles": {"p001": 1.0, "p50": mean, "p75": mean, "p90": p99, "p95": p99, "p99": p99, "p999": p99},
        }, "errored": {"mean": 0.0, "percentiles": {}}, "incomplete": null, "total": null})
    };
    json!({
        "metadata": {"version": 2, "guidellm_version": "0.8.1"},
        "config": {"spec": {"backend": {"kind": "openai_http", "model": "meta-llama/Llama-3.1-8B"}}},
        "benchmarks": [{
            "type_": "generative_benchmark",
            "config": {"strategy": strategy},
            "scheduler_metrics": {"measure_start_time": 1_780_000_000.5},
            "metrics": {
                "request_totals": {"successful": 95, "errored": 5, "incomplete": 2, "total": 102},
                "requests_per_second": by_status(2.0, 3.0),
                "request_latency": by_status(1.5, 2.5),
                "prompt_token_count": by_status(256.0, 256.0),
                "output_token_count": by_status(128.0, 128.0),
                "time_to_first_token_ms": by_status(40.0, 90.0),
                "inter_token_latency_ms": by_status(11.0, 14.0),
                "prompt_tokens_per_second": by_status(512.0, 600.0),
                "output_tokens_per_second": by_status(256.0, 400.0),
            },
        }],
    })
}

fn concurrency(requests: u32) -> Option<OfferedLoad> {
    NonZeroU32::new(requests).map(OfferedLoad::Concurrency)
}

fn value(measured: &Measured, name: &str) -> Option<f64> {
    let metric: Metric = serde_json::from_value(name.into()).unwrap();
    measured.metrics.get(&metric).copied()
}

#[test]
fn a_file_of_vllm_is_read_under_our_names() {
    let measured = vllm(&json!({})).unwrap();
    assert_eq!((measured.tool, measured.model.as_deref()), ("vllm bench serve", Some("tiny-llama")));
    assert_eq!(measured.date.unwrap().to_string(), "2026-11-24");
    assert_eq!((measured.kind, measured.offered_load), (MeasurementKind::OnlineServing, concurrency(16)));
    assert_eq!((measured.requests_completed, measured.requests_failed), (300, 0));
    assert_eq!(measured.output_tokens_mean, Some(128.0));
    for (name, expected) in [
        ("output_tokens_per_s", 884.606_195_666_636_4),
        ("requests_per_s", 6.910_985_903_645_597),
        ("ttft_p50_ms", 105.428_283_999_799_53),
        ("itl_p99_ms", 86.129_931_660_242_76),
        ("tpot_mean_ms", 16.789_819_822_414_76),
        ("e2e_p95_ms", 3_720.308_780_350_275),
    ] {
        assert_eq!(value(&measured, name), Some(expected), "{name}");
    }
    assert_eq!(measured.metrics.len(), 23);
    let input = value(&measured, "input_tokens_per_s").unwrap();
    assert!((input - 19_223.0 / 43.409_146_564_999_9).abs() < 1e-6, "{input}");
    assert!(measured.caveats.iter().any(|caveat| caveat.contains("gap between chunks")));
}

#[test]
fn the_load_of_vllm_is_a_rate_a_concurrency_or_all_at_once() {
    let rate = |per_s, arrivals| Some(OfferedLoad::RequestRate(RequestRate { per_s, arrivals }));
    for (changes, load, kind) in [
        (json!({"request_rate": 2.5}), rate(2.5, Arrivals::Poisson), MeasurementKind::OnlineServing),
        (
            json!({"request_rate": 2.5, "burstiness": 0.5}),
            rate(2.5, Arrivals::Gamma { burstiness: 0.5 }),
            MeasurementKind::OnlineServing,
        ),
        (json!({"max_concurrency": null}), None, MeasurementKind::OnlineServingBurst),
    ] {
        let measured = vllm(&changes).unwrap();
        assert_eq!((measured.offered_load, measured.kind), (load, kind));
    }
    let bounded = vllm(&json!({"request_rate": 2.5, "failed": 3})).unwrap();
    assert!(bounded.caveats.iter().any(|caveat| caveat.contains("at most 16 requests")), "{bounded:?}");
    assert!(bounded.caveats.iter().any(|caveat| caveat == "3 of 303 requests failed"), "{bounded:?}");
}

#[test]
fn what_we_export_in_vllm_s_form_can_be_read_again() {
    let mut report = report(&plan(), 0);
    report.requests_completed = 2000;
    let measured = import(&Form::Vllm.export(&report, "m/n")).unwrap().remove(0);
    assert_eq!(measured.offered_load, Some(report.offered_load));
    for latency in Latency::ALL {
        for statistic in Statistic::ALL {
            let metric = Metric::Latency(latency, statistic);
            assert_eq!(measured.metrics.get(&metric), Some(&report.value(metric)), "{metric}");
        }
    }
}

#[test]
fn a_file_of_guidellm_is_read_with_its_own_meanings() {
    let measured = import(&guidellm(&json!({"type_": "concurrent", "streams": 8}))).unwrap().remove(0);
    assert_eq!(measured.model.as_deref(), Some("meta-llama/Llama-3.1-8B"));
    assert_eq!((measured.kind, measured.offered_load), (MeasurementKind::OnlineServing, concurrency(8)));
    // Seconds become milliseconds; its ITL is our TPOT, and of gaps between tokens it knows nothing.
    for (name, expected) in [
        ("e2e_mean_ms", Some(1500.0)),
        ("e2e_p99_ms", Some(2500.0)),
        ("ttft_p50_ms", Some(40.0)),
        ("tpot_p99_ms", Some(14.0)),
        ("itl_p99_ms", None),
        ("output_tokens_per_s", Some(256.0)),
    ] {
        assert_eq!(value(&measured, name), expected, "{name}");
    }
    assert_eq!((measured.requests_completed, measured.requests_failed), (95, 5));
    assert_eq!(measured.date.unwrap().to_string(), "2026-05-28");
    assert!(measured.caveats.iter().any(|caveat| caveat.contains("TPOT")));
    assert!(measured.caveats.iter().any(|caveat| caveat == "5 of 100 requests failed"));
}

#[test]
fn every_strategy_of_guidellm_has_its_load() {
    let constant = RequestRate { per_s: 4.0, arrivals: Arrivals::Constant };
    for (strategy, load, kind) in [
        (json!({"type_": "synchronous"}), concurrency(1), MeasurementKind::OnlineServing),
        (
            json!({"type_": "constant", "rate": 4.0, "max_concurrency": 512}),
            Some(OfferedLoad::RequestRate(constant)),
            MeasurementKind::OnlineServing,
        ),
        (json!({"type_": "throughput"}), None, MeasurementKind::OnlineServingBurst),
        (
            json!({"type_": "throughput", "max_concurrency": 64}),
            concurrency(64),
            MeasurementKind::OnlineServingSaturated,
        ),
        (json!({"type_": "something new"}), None, MeasurementKind::OnlineServing),
    ] {
        let measured = import(&guidellm(&strategy)).unwrap().remove(0);
        assert_eq!((measured.offered_load, measured.kind), (load, kind), "{strategy}");
    }
}

#[test]
fn other_files_are_refused_in_words() {
    for (file, part) in [
        (json!({"a": 1}), "neither a file of"),
        (json!([1]), "neither a file of"),
        (json!({"benchmarks": []}), "completed no request"),
        (json!({"benchmarks": [{"metrics": {}}]}), "not as that tool writes it"),
        (json!({"output_throughput": "fast"}), "not as that tool writes it"),
    ] {
        let error = import(&file).unwrap_err().to_string();
        assert!(error.contains(part), "{file}: {error}");
    }
    assert!(matches!(vllm(&json!({"completed": 0})), Err(UnreadableFile::Empty { .. })));
}
