//! The benchmark report of llm-d, by its JSON schema 0.2.1 (llm-d/llm-d-benchmark). Latencies are in seconds there.

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Map, Value, json};

use crate::load::{LoadReport, TimeSeries};
use crate::metric::{Latency, Statistic};
use crate::stats::Summary;

pub(super) fn export(report: &LoadReport, model: &str) -> Value {
    let time = |moment: chrono::DateTime<chrono::Utc>| moment.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "version": "0.2.1",
        "run": {
            "uid": format!("{}-{}", report.run_id, report.load_point_index),
            "eid": report.run_id,
            "time": {
                "start": time(report.started_at),
                "end": time(report.finished_at),
                "duration": format!("PT{}S", report.window_s),
            },
            "description": format!("{model} at {}, measured by AccelBench {}", report.offered_load, report.loadgen_version),
        },
        "results": {
            "request_performance": {
                "aggregate": aggregate(report),
                "time_series": report.time_series.as_ref().map(|series| time_series(report, series)),
            },
        },
    })
}

fn aggregate(report: &LoadReport) -> Value {
    let latency = |latency, units: &str| statistics(report, report.latencies(latency), units, 1e-3);
    let rate = |value: f64, units: &str| json!({"mean": value, "units": units});
    json!({
        "requests": {
            "total": report.requests_completed + report.failed(),
            "failures": report.failed(),
            "input_length": statistics(report, &report.input_tokens, "count", 1.0),
            "output_length": statistics(report, &report.output_tokens, "count", 1.0),
        },
        "latency": {
            "time_to_first_token": latency(Latency::Ttft, "s"),
            "inter_token_latency": latency(Latency::Itl, "s/token"),
            "time_per_output_token": latency(Latency::Tpot, "s/token"),
            "request_latency": latency(Latency::E2e, "s"),
        },
        "throughput": {
            "input_token_rate": rate(report.input_tokens_per_s, "tokens/s"),
            "output_token_rate": rate(report.output_tokens_per_s, "tokens/s"),
            "total_token_rate": rate(report.input_tokens_per_s + report.output_tokens_per_s, "tokens/s"),
            "request_rate": rate(report.requests_per_s, "queries/s"),
        },
    })
}

fn statistics(report: &LoadReport, summary: &Summary, units: &str, scale: f64) -> Value {
    // To nine digits: what scaling adds behind them says nothing.
    let scaled = |value: f64| Value::from((value * scale * 1e9).round() / 1e9);
    let mut fields = Map::from_iter([
        ("units".to_owned(), units.into()),
        ("mean".to_owned(), scaled(summary.mean)),
        ("min".to_owned(), scaled(summary.min)),
        ("max".to_owned(), scaled(summary.max)),
    ]);
    let percentiles = Statistic::ALL.into_iter().filter(|statistic| statistic.percent().is_some());
    for statistic in percentiles.filter(|statistic| report.supports(*statistic)) {
        fields.insert(statistic.as_str().to_owned(), scaled(statistic.of(summary)));
    }
    fields.into()
}

fn time_series(report: &LoadReport, series: &TimeSeries) -> Value {
    let moment = |part: usize| {
        let after_ms = (1000.0 * series.interval_s * part as f64) as i64;
        (report.started_at + TimeDelta::milliseconds(after_ms)).to_rfc3339_opts(SecondsFormat::Millis, true)
    };
    let rates = |counts: Vec<f64>, units: &str| {
        let points = counts.into_iter().enumerate();
        let points: Vec<Value> = points
            .map(|(part, count)| json!({"ts": moment(part), "value": count / series.interval_s}))
            .collect();
        json!({"units": units, "series": points})
    };
    let tokens = |counts: &[u64]| counts.iter().map(|&count| count as f64).collect();
    let ttft = series.ttft_mean_ms.iter().enumerate();
    let ttft: Vec<Value> = ttft
        .filter_map(|(part, mean_ms)| Some(json!({"ts": moment(part), "mean": (*mean_ms)? / 1000.0})))
        .collect();
    json!({
        "latency": {"time_to_first_token": {"units": "s", "series": ttft}},
        "throughput": {
            "input_token_rate": rates(tokens(&series.input_tokens), "tokens/s"),
            "output_token_rate": rates(tokens(&series.output_tokens), "tokens/s"),
            "request_rate": rates(series.requests_completed.iter().map(|&count| f64::from(count)).collect(), "queries/s"),
        },
    })
}
