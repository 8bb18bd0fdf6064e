//! What others published, as candidates of a recommendation. It is offered where nothing of ours was measured, and must be
//! called published wherever it is shown. Only vLLM counts, because an answer must be one that AccelBench can deploy.
//!
//! Nothing is scaled: a source that used one of eight accelerators bears what it bore, at the price of the whole instance.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Candidate, Configuration, Evidence, Point};
use crate::cost::Throughput;
use crate::engine::EngineKind;
use crate::imported::{ImportedResult, MeasurementKind};
use crate::instance::InstanceTypeName;
use crate::metric::Metric;
use crate::model::Quantization;
use crate::observed::Observed;
use crate::price::HourlyPrice;
use crate::result::Origin;
use crate::validity::Outcome;

/// Workloads whose lengths differ by less than this factor are taken for one.
const ALIKE: f64 = 1.25;

/// Mean lengths of a workload, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lengths {
    /// Of the prompts.
    pub input_tokens: f64,
    /// Of the answers.
    pub output_tokens: f64,
}

/// The candidates of the workload that comes nearest to the asked one.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The mean lengths of that workload; nothing without candidates.
    pub lengths: Option<Lengths>,
    /// Its configurations with their load curves.
    pub candidates: Vec<Candidate>,
}

/// A usable point with what tells its curve from others.
struct Usable<'a> {
    result: &'a ImportedResult,
    imported_at: DateTime<Utc>,
    instance_type: &'a InstanceTypeName,
    lengths: Lengths,
}

impl Lengths {
    /// How far apart two workloads are: the larger of the two factors between their lengths.
    #[must_use]
    pub fn factor_to(self, other: Self) -> f64 {
        let factor = |a: f64, b: f64| (a / b).max(b / a);
        factor(self.input_tokens, other.input_tokens).max(factor(self.output_tokens, other.output_tokens))
    }

    /// Whether two workloads of others are near enough to be held against each other.
    #[must_use]
    pub fn is_like(self, other: Self) -> bool {
        self.factor_to(other) <= ALIKE
    }
}

/// Candidates from what others published of one model, each with when it was imported.
#[must_use]
pub fn published(
    results: &[(&ImportedResult, DateTime<Utc>)],
    asked: Lengths,
    price_of: impl Fn(&InstanceTypeName) -> Observed<HourlyPrice>,
) -> Published {
    let mut points: Vec<Usable<'_>> = results.iter().filter_map(|(result, at)| usable(result, *at)).collect();
    // The nearest first, so that of two points of one load on one curve the nearer stays.
    points.sort_by(|a, b| a.lengths.factor_to(asked).total_cmp(&b.lengths.factor_to(asked)));
    let Some(lengths) = points.first().map(|point| point.lengths) else {
        return Published { lengths: None, candidates: Vec::new() };
    };
    let mut curves: BTreeMap<String, Candidate> = BTreeMap::new();
    for usable in points.iter().filter(|usable| usable.lengths.is_like(lengths)) {
        let Some(point) = usable.point() else { continue };
        let curve = curves.entry(usable.curve()).or_insert_with(|| Candidate {
            configuration: usable.configuration(),
            points: Vec::new(),
            price: price_of(usable.instance_type),
        });
        if !curve.points.iter().any(|known| known.offered_load == point.offered_load) {
            curve.points.push(point);
        }
    }
    Published { lengths: Some(lengths), candidates: curves.into_values().collect() }
}

/// A vLLM server under a stated load on a known machine, with lengths that can be compared.
fn usable(result: &ImportedResult, imported_at: DateTime<Utc>) -> Option<Usable<'_>> {
    let is_server =
        matches!(result.kind, MeasurementKind::OnlineServing | MeasurementKind::OnlineServingSaturated);
    let is_vllm = result.engine.name.as_ref().is_some_and(|name| name.starts_with("vLLM"));
    if !is_server || !is_vllm {
        return None;
    }
    let hardware = &result.hardware;
    Some(Usable {
        result,
        imported_at,
        instance_type: hardware.instance_type.as_ref().or(hardware.comparable_instance_type.as_ref())?,
        lengths: Lengths {
            input_tokens: result.input_tokens_mean.filter(|mean| *mean > 0.0)?,
            output_tokens: result.output_tokens_mean.filter(|mean| *mean > 0.0)?,
        },
    })
}

impl Usable<'_> {
    /// Points of one publication, machine and setting form a curve; a publication gives each setting a file of its own.
    fn curve(&self) -> String {
        let ImportedResult { source, hardware, engine, .. } = self.result;
        format!("{source:?} {hardware:?} {engine:?}")
    }

    fn configuration(&self) -> Configuration {
        let engine = &self.result.engine;
        let name = engine.name.as_deref().unwrap_or_default();
        let version = match (&engine.version, name) {
            (Some(version), "vLLM") => Observed::Value(version.clone()),
            (Some(version), name) => Observed::Value(format!("{version} ({name})")),
            (None, _) => Observed::absent("not published"),
        };
        Configuration {
            model: self.result.model.clone(),
            revision: Observed::absent("not published"),
            instance_type: self.instance_type.clone(),
            quantization: precision(engine.precision.as_deref()),
            tensor_parallel: engine.tensor_parallel.or(self.result.hardware.accelerators_used).unwrap_or(1),
            engine: EngineKind::Vllm,
            engine_version: version,
        }
    }

    fn point(&self) -> Option<Point> {
        let ImportedResult { metrics, offered_load, requests_completed, requests_failed, .. } = self.result;
        let (completed, failed) = (requests_completed.unwrap_or(0), requests_failed.unwrap_or(0));
        let is_latency = |metric: &Metric| matches!(metric, Metric::Latency(..));
        Some(Point {
            result: Evidence::Published(self.result.id()),
            offered_load: (*offered_load)?,
            throughput: throughput(metrics, self.lengths)?,
            latencies: metrics.iter().filter(|(it, _)| is_latency(it)).map(|(it, ms)| (*it, *ms)).collect(),
            estimates: BTreeMap::new(),
            error_share: if failed == 0 { 0.0 } else { failed as f64 / (completed + failed) as f64 },
            // Nobody checked it as our own results are checked.
            validity: Outcome::Warn,
            recorded_at: self.published_at(),
            origin: Origin::Imported,
        })
    }

    fn published_at(&self) -> DateTime<Utc> {
        let date = self.result.source.date.as_ref().and_then(|date| date.parse::<NaiveDate>().ok());
        date.and_then(|date| date.and_hms_opt(0, 0, 0)).map_or(self.imported_at, |time| time.and_utc())
    }
}

/// Rates that were published, and those that follow from them and the lengths.
fn throughput(metrics: &BTreeMap<Metric, f64>, lengths: Lengths) -> Option<Throughput> {
    let of = |metric: Metric| metrics.get(&metric).copied();
    let output_tokens_per_s = of(Metric::OutputTokensPerS);
    // Published to few digits where it is small; the tokens tell it better.
    let requests_per_s = output_tokens_per_s
        .map(|per_s| per_s / lengths.output_tokens)
        .or_else(|| of(Metric::RequestsPerS))?;
    Some(Throughput {
        input_tokens_per_s: of(Metric::InputTokensPerS).unwrap_or(requests_per_s * lengths.input_tokens),
        output_tokens_per_s: output_tokens_per_s.unwrap_or(requests_per_s * lengths.output_tokens),
        requests_per_s,
    })
}

fn precision(word: Option<&str>) -> Observed<Quantization> {
    let known = Quantization::ALL.into_iter().find(|it| Some(it.as_str()) == word);
    match (known, word) {
        (Some(known), _) => Observed::Value(known),
        (None, Some(word)) => Observed::absent(format!("published as {word}")),
        (None, None) => Observed::absent("not published"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::{Lengths, Published, published};
    use crate::cost::OutputWeight;
    use crate::imported::ImportedResult;
    use crate::observed::Observed;
    use crate::price::HourlyPrice;
    use crate::recommendation::{Question, recommend};

    fn result(change: &Value) -> ImportedResult {
        let mut record = json!({
            "source": {"name": "a paper"}, "model": "some/model", "kind": "online_serving",
            "hardware": {"instance_type": "g6e.xlarge", "accelerators_used": 1},
            "engine": {"name": "vLLM", "version": "0.11", "precision": "fp8"},
            "offered_load": {"concurrency": 4}, "batch_size": null, "input_tokens_mean": 500.0,
            "output_tokens_mean": 100.0, "requests_completed": 200, "requests_failed": null,
            "metrics": {"output_tokens_per_s": 200.0, "ttft_p95_ms": 90.0}, "caveats": [],
        });
        for (key, value) in change.as_object().unwrap() {
            record[key] = value.clone();
        }
        serde_json::from_value(record).unwrap()
    }

    fn of(results: &[ImportedResult], input_tokens: f64) -> Published {
        let results: Vec<_> = results.iter().map(|result| (result, DateTime::UNIX_EPOCH)).collect();
        let price = |_: &_| Observed::Value(HourlyPrice { per_hour: 2.0, upfront: 0.0 });
        published(&results, Lengths { input_tokens, output_tokens: 100.0 }, price)
    }

    #[test]
    fn the_nearest_workload_makes_the_curves() {
        let curve = [
            result(&json!({})),
            result(&json!({"offered_load": {"concurrency": 8}, "input_tokens_mean": 520.0})),
            result(&json!({"offered_load": {"concurrency": 16}, "input_tokens_mean": 4000.0})),
        ];
        let short = of(&curve, 300.0);
        assert_eq!(short.candidates.len(), 1);
        assert_eq!(short.candidates[0].points.len(), 2, "4000 tokens are another workload");
        let long = of(&curve, 8000.0);
        assert_eq!(long.lengths.map(|it| it.input_tokens), Some(4000.0));
        let rate = short.candidates[0].points[0].throughput.requests_per_s;
        assert!((rate - 2.0).abs() < 1e-12, "200 tokens/s are 2 answers of 100: {rate}");
    }

    #[test]
    fn what_cannot_be_deployed_or_compared_is_no_candidate() {
        for change in [
            json!({"engine": {"name": "TGI"}}),
            json!({"kind": "mlperf_offline"}),
            json!({"hardware": {"accelerator_name": "H100"}}),
            json!({"input_tokens_mean": null}),
            json!({"offered_load": null}),
            json!({"metrics": {"ttft_p95_ms": 90.0}}),
        ] {
            assert_eq!(of(&[result(&change)], 500.0).candidates, [], "{change}");
        }
    }

    #[test]
    fn it_can_be_recommended() {
        let candidates = of(&[result(&json!({}))], 500.0).candidates;
        let slo = vec!["ttft_p95_ms<=100".parse().unwrap()].try_into().unwrap();
        let question = Question { slo, target_requests_per_s: 3.0, output_weight: OutputWeight::default() };
        let recommendation = recommend(&candidates, &question);
        let best = recommendation.best().unwrap();
        assert_eq!((best.projection.replicas, best.per_month), (2, 2.0 * 2.0 * 730.0));
    }
}
