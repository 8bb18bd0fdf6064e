//! What `vllm bench serve --save-result` writes, by the files of vLLM 0.32.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Measured, UnreadableFile, caveat_of_failures, keep, parse};
use crate::imported::MeasurementKind;
use crate::load::{Arrivals, OfferedLoad, RequestRate};
use crate::metric::{Latency, Metric, Statistic};

const TOOL: &str = "vllm bench serve";

#[derive(Deserialize)]
struct File {
    date: Option<String>,
    model_id: Option<String>,
    request_rate: Option<Value>,
    burstiness: Option<f64>,
    max_concurrency: Option<NonZeroU32>,
    completed: u64,
    #[serde(default)]
    failed: u64,
    total_input_tokens: f64,
    total_output_tokens: f64,
    request_throughput: f64,
    output_throughput: f64,
    total_token_throughput: Option<f64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

pub(super) fn import(file: &Value) -> Result<Measured, UnreadableFile> {
    let file: File = parse(TOOL, file)?;
    if file.completed == 0 {
        return Err(UnreadableFile::Empty { tool: TOOL });
    }
    let (kind, offered_load) = file.load();
    Ok(Measured {
        tool: TOOL,
        model: file.model_id.clone(),
        date: file.date.as_deref().and_then(day),
        kind,
        offered_load,
        input_tokens_mean: file.per_request(file.total_input_tokens),
        output_tokens_mean: file.per_request(file.total_output_tokens),
        requests_completed: file.completed,
        requests_failed: file.failed,
        metrics: file.metrics(),
        caveats: file.caveats(offered_load),
    })
}

impl File {
    /// Requests a second, unless all come at once.
    fn rate(&self) -> Option<f64> {
        self.request_rate.as_ref()?.as_f64().filter(|rate| *rate > 0.0)
    }

    fn load(&self) -> (MeasurementKind, Option<OfferedLoad>) {
        match (self.rate(), self.max_concurrency) {
            (Some(per_s), _) => {
                let arrivals = match self.burstiness {
                    Some(burstiness) if (burstiness - 1.0).abs() > 1e-9 => Arrivals::Gamma { burstiness },
                    _ => Arrivals::Poisson,
                };
                let rate = OfferedLoad::RequestRate(RequestRate { per_s, arrivals });
                (MeasurementKind::OnlineServing, Some(rate))
            }
            (None, Some(requests)) => {
                (MeasurementKind::OnlineServing, Some(OfferedLoad::Concurrency(requests)))
            }
            (None, None) => (MeasurementKind::OnlineServingBurst, None),
        }
    }

    fn per_request(&self, total: f64) -> Option<f64> {
        Some(total / self.completed as f64).filter(|mean| *mean > 0.0)
    }

    fn metrics(&self) -> BTreeMap<Metric, f64> {
        let mut metrics = BTreeMap::new();
        keep(&mut metrics, Metric::RequestsPerS, Some(self.request_throughput));
        keep(&mut metrics, Metric::OutputTokensPerS, Some(self.output_throughput));
        let input = self.total_token_throughput.map(|total| total - self.output_throughput);
        keep(&mut metrics, Metric::InputTokensPerS, input);
        for latency in Latency::ALL {
            let name = if latency == Latency::E2e { "e2el" } else { latency.as_str() };
            for statistic in Statistic::ALL {
                let word = if statistic == Statistic::P50 { "median" } else { statistic.as_str() };
                let value = self.others.get(&format!("{word}_{name}_ms")).and_then(Value::as_f64);
                keep(&mut metrics, Metric::Latency(latency, statistic), value);
            }
        }
        metrics
    }

    fn caveats(&self, load: Option<OfferedLoad>) -> Vec<String> {
        let bounded = load.and_then(OfferedLoad::request_rate).and(self.max_concurrency);
        [
            Some("ITL is the gap between chunks, which may hold several tokens".to_owned()),
            Some("the throughput includes ramp-up and drain".to_owned()),
            bounded.map(|most| {
                format!("at most {most} requests were in flight, so the rate was not held above that")
            }),
            caveat_of_failures(self.failed, self.completed),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The day of `20261124-022533`.
fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.get(..8)?, "%Y%m%d").ok()
}
