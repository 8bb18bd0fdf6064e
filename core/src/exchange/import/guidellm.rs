//! What GuideLLM writes as `benchmarks.json`, by the schemas of version 0.8.1.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde_json::Value;

use super::{Measured, UnreadableFile, caveat_of_failures, keep, parse};
use crate::imported::MeasurementKind;
use crate::load::{Arrivals, OfferedLoad, RequestRate};
use crate::metric::{Latency, Metric, Statistic};

const TOOL: &str = "GuideLLM";

#[derive(Deserialize)]
struct File {
    benchmarks: Vec<Benchmark>,
}

#[derive(Deserialize)]
struct Benchmark {
    config: Config,
    #[serde(default)]
    scheduler_metrics: SchedulerMetrics,
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Config {
    strategy: Strategy,
}

#[derive(Deserialize)]
struct Strategy {
    type_: String,
    streams: Option<NonZeroU32>,
    rate: Option<f64>,
    max_concurrency: Option<NonZeroU32>,
}

#[derive(Default, Deserialize)]
struct SchedulerMetrics {
    /// Unix time in seconds.
    measure_start_time: Option<f64>,
}

#[derive(Deserialize)]
struct Metrics {
    request_totals: Totals,
    requests_per_second: ByStatus,
    /// In seconds.
    request_latency: ByStatus,
    prompt_token_count: ByStatus,
    output_token_count: ByStatus,
    time_to_first_token_ms: ByStatus,
    inter_token_latency_ms: ByStatus,
    prompt_tokens_per_second: Option<ByStatus>,
    output_tokens_per_second: ByStatus,
}

#[derive(Deserialize)]
struct Totals {
    successful: u64,
    #[serde(default)]
    errored: u64,
    #[serde(default)]
    incomplete: u64,
}

#[derive(Deserialize)]
struct ByStatus {
    successful: Option<Distribution>,
}

#[derive(Deserialize)]
struct Distribution {
    mean: Option<f64>,
    #[serde(default)]
    percentiles: BTreeMap<String, f64>,
}

pub(super) fn import(file: &Value) -> Result<Vec<Measured>, UnreadableFile> {
    let benchmarks = parse::<File>(TOOL, file)?.benchmarks;
    let model = model(file);
    let measured: Vec<Measured> = benchmarks
        .iter()
        .filter(|benchmark| benchmark.metrics.request_totals.successful > 0)
        .map(|benchmark| benchmark.measured(model.clone()))
        .collect();
    if measured.is_empty() { Err(UnreadableFile::Empty { tool: TOOL }) } else { Ok(measured) }
}

/// Where the releases keep the model's name.
fn model(file: &Value) -> Option<String> {
    ["/config/spec/backend/model", "/config/backend/model", "/args/model"]
        .into_iter()
        .find_map(|place| file.pointer(place)?.as_str())
        .map(str::to_owned)
}

impl Benchmark {
    fn measured(&self, model: Option<String>) -> Measured {
        let (kind, offered_load) = self.config.strategy.load();
        Measured {
            tool: TOOL,
            model,
            date: self.date(),
            kind,
            offered_load,
            input_tokens_mean: self.metrics.prompt_token_count.mean(),
            output_tokens_mean: self.metrics.output_token_count.mean(),
            requests_completed: self.metrics.request_totals.successful,
            requests_failed: self.metrics.request_totals.errored,
            metrics: self.metrics.ours(),
            caveats: self.caveats(),
        }
    }

    fn date(&self) -> Option<NaiveDate> {
        let at = DateTime::from_timestamp(self.scheduler_metrics.measure_start_time? as i64, 0)?;
        Some(at.date_naive())
    }

    fn caveats(&self) -> Vec<String> {
        let Totals { successful, errored, incomplete } = self.metrics.request_totals;
        let bounded = self.config.strategy.rate.and(self.config.strategy.max_concurrency);
        [
            Some("what GuideLLM calls ITL is one mean a request and stands here as TPOT".to_owned()),
            bounded.map(|most| {
                format!("at most {most} requests were in flight, so the rate was not held above that")
            }),
            (incomplete > 0).then(|| format!("{incomplete} requests were cut off at the end")),
            caveat_of_failures(errored, successful),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Strategy {
    fn load(&self) -> (MeasurementKind, Option<OfferedLoad>) {
        let rate = |arrivals| {
            let per_s = self.rate.filter(|rate| *rate > 0.0)?;
            Some(OfferedLoad::RequestRate(RequestRate { per_s, arrivals }))
        };
        match self.type_.as_str() {
            "synchronous" => {
                (MeasurementKind::OnlineServing, Some(OfferedLoad::Concurrency(NonZeroU32::MIN)))
            }
            "concurrent" => (MeasurementKind::OnlineServing, self.streams.map(OfferedLoad::Concurrency)),
            "constant" => (MeasurementKind::OnlineServing, rate(Arrivals::Constant)),
            "poisson" => (MeasurementKind::OnlineServing, rate(Arrivals::Poisson)),
            // As many as it can: its own bound, or none.
            "throughput" => match self.max_concurrency {
                Some(most) => (MeasurementKind::OnlineServingSaturated, Some(OfferedLoad::Concurrency(most))),
                None => (MeasurementKind::OnlineServingBurst, None),
            },
            _ => (MeasurementKind::OnlineServing, None),
        }
    }
}

impl Metrics {
    fn ours(&self) -> BTreeMap<Metric, f64> {
        let mut metrics = BTreeMap::new();
        keep(&mut metrics, Metric::RequestsPerS, self.requests_per_second.mean());
        keep(&mut metrics, Metric::OutputTokensPerS, self.output_tokens_per_second.mean());
        let input = self.prompt_tokens_per_second.as_ref().and_then(ByStatus::mean);
        keep(&mut metrics, Metric::InputTokensPerS, input);
        let latencies = [
            (Latency::Ttft, &self.time_to_first_token_ms, 1.0),
            (Latency::Tpot, &self.inter_token_latency_ms, 1.0),
            (Latency::E2e, &self.request_latency, 1000.0),
        ];
        for (latency, by_status, to_ms) in latencies {
            for statistic in Statistic::ALL {
                let value = by_status.statistic(statistic).map(|value| value * to_ms);
                keep(&mut metrics, Metric::Latency(latency, statistic), value);
            }
        }
        metrics
    }
}

impl ByStatus {
    fn mean(&self) -> Option<f64> {
        self.statistic(Statistic::Mean)
    }

    fn statistic(&self, statistic: Statistic) -> Option<f64> {
        let distribution = self.successful.as_ref()?;
        match statistic {
            Statistic::Mean => distribution.mean,
            percentile => distribution.percentiles.get(percentile.as_str()).copied(),
        }
    }
}
