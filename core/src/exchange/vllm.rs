//! The file that `vllm bench serve --save-result` writes, by the files of vLLM 0.32.

use serde_json::{Map, Value, json};

use crate::load::{Distributions, LoadReport};
use crate::metric::{Latency, Statistic};

pub(super) fn export(report: &LoadReport, model: &str) -> Value {
    let rate = report.offered_load.request_rate();
    let requests = report.requests_completed + report.failed();
    let (input, output) = (total(report.input_tokens.mean, report), total(report.output_tokens.mean, report));
    let mut json = json!({
        "date": report.started_at.format("%Y%m%d-%H%M%S").to_string(),
        "endpoint_type": "openai",
        "backend": "openai",
        "label": Value::Null,
        "model_id": model,
        "tokenizer_id": model,
        "num_prompts": requests,
        "request_rate": rate.map_or_else(|| json!("inf"), |rate| json!(rate.per_s)),
        "burstiness": rate.and_then(|rate| rate.arrivals.burstiness()).unwrap_or(1.0),
        "max_concurrency": report.offered_load.concurrency(),
        "duration": report.window_s,
        "completed": report.requests_completed,
        "failed": report.failed(),
        "total_input_tokens": input,
        "total_output_tokens": output,
        "request_throughput": report.requests_per_s,
        "request_goodput": report.goodput.as_ref().map(|goodput| goodput.requests_per_s),
        "output_throughput": report.output_tokens_per_s,
        "total_token_throughput": report.output_tokens_per_s + report.input_tokens_per_s,
    });
    if let Some(fields) = json.as_object_mut() {
        for latency in Latency::ALL {
            add_latency(fields, report, latency);
        }
    }
    json
}

fn total(mean: f64, report: &LoadReport) -> u64 {
    (mean * report.requests_completed as f64).round() as u64
}

fn add_latency(fields: &mut Map<String, Value>, report: &LoadReport, latency: Latency) {
    let name = match latency {
        Latency::E2e => "e2el",
        Latency::Ttft | Latency::Itl | Latency::Tpot => latency.as_str(),
    };
    let summary = report.latencies(latency);
    let mut add = |statistic: &str, value: f64| fields.insert(format!("{statistic}_{name}_ms"), value.into());
    for statistic in Statistic::ALL.into_iter().filter(|statistic| report.supports(*statistic)) {
        add(statistic.as_str(), statistic.of(summary));
    }
    if report.supports(Statistic::P50) {
        add("median", summary.p50);
    }
    if let Some(deviation) = report.distributions.as_ref().and_then(|all| deviation_ms(all, latency)) {
        add("std", deviation);
    }
}

fn deviation_ms(distributions: &Distributions, latency: Latency) -> Option<f64> {
    let distribution = match latency {
        Latency::Ttft => &distributions.ttft,
        Latency::Itl => &distributions.itl,
        Latency::Tpot => &distributions.tpot,
        Latency::E2e => &distributions.e2e,
    };
    Some(distribution.histogram().ok()?.stdev() / 1000.0)
}
