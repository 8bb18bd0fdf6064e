//! A load point as the pages show it side by side with others, whether it was measured here or published by others. It
//! says which it is, and where its own page stands.

use std::collections::BTreeMap;

use accelbench_core::cost::{Costs, OutputWeight, Throughput};
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::load::OfferedLoad;
use accelbench_core::metric::Metric;
use accelbench_core::model::ModelId;
use accelbench_core::observed::Observed;
use accelbench_core::recommendation::Lengths;
use accelbench_core::result::{BenchmarkResult, Origin};
use accelbench_core::stats::Estimate;
use accelbench_core::validity::Outcome;
use accelbench_store::imported::StoredImport;

use crate::pricing::PriceList;

/// A load point with what tells it from others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// Its identity: of a result a UUID, of a published one a hash.
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) model: ModelId,
    /// What it ran on, or the smallest instance type with as many of the same accelerator.
    pub(crate) instance_type: Option<InstanceTypeName>,
    /// Whether nothing was measured on that instance type itself.
    pub(crate) is_comparable_only: bool,
    pub(crate) accelerator_name: Option<String>,
    pub(crate) accelerators_used: Option<u32>,
    /// How others measured; nothing for what is ours.
    pub(crate) kind: Option<&'static str>,
    pub(crate) engine: String,
    pub(crate) engine_version: Option<String>,
    pub(crate) precision: Option<String>,
    pub(crate) tensor_parallel: Option<u32>,
    pub(crate) offered_load: Option<OfferedLoad>,
    pub(crate) input_tokens_mean: Option<f64>,
    pub(crate) output_tokens_mean: Option<f64>,
    /// What was measured; of a latency only what enough requests carry.
    pub(crate) metrics: BTreeMap<Metric, f64>,
    pub(crate) estimates: BTreeMap<Metric, Estimate>,
    pub(crate) requests_completed: Option<u64>,
    pub(crate) error_share: Option<f64>,
    /// What its checks say; nothing for what nobody checked.
    pub(crate) validity: Option<Outcome>,
    pub(crate) is_superseded: bool,
    /// Results with equal ones were asked the same questions.
    pub(crate) workload: String,
    /// The day, as exactly as it is known.
    pub(crate) date: String,
    /// Who measured it.
    pub(crate) source: String,
}

impl Reading {
    /// The address of its own page.
    pub(crate) fn address(&self) -> String {
        match self.origin {
            Origin::Imported => format!("/published/{}", self.id),
            Origin::Measured | Origin::Simulated => format!("/results/{}", self.id),
        }
    }

    /// A metric by its name, where it was measured.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(&name.parse().ok()?).copied()
    }

    /// The speed of a single answer, in tokens per second: of the whole answer where its time is known, otherwise between
    /// its tokens.
    pub(crate) fn interactivity(&self) -> Option<f64> {
        let first = |names: [&str; 2]| names.into_iter().find_map(|name| self.metric(name));
        let whole = first(["e2e_p50_ms", "e2e_mean_ms"]).zip(self.output_tokens_mean);
        whole.map(|(e2e_ms, tokens)| tokens / e2e_ms * 1000.0).or_else(|| {
            let gap_ms =
                first(["tpot_p50_ms", "tpot_mean_ms"]).or_else(|| first(["itl_p50_ms", "itl_mean_ms"]));
            gap_ms.map(|gap_ms| 1000.0 / gap_ms)
        })
    }

    /// Whether both were asked the same: the same workload, or, of what others published, the same way of measuring with
    /// nearly the same lengths.
    pub(crate) fn was_asked_like(&self, other: &Self) -> bool {
        let lengths = |reading: &Self| {
            let (input_tokens, output_tokens) = (reading.input_tokens_mean?, reading.output_tokens_mean?);
            Some(Lengths { input_tokens, output_tokens })
        };
        let near = || lengths(self).zip(lengths(other)).is_some_and(|(own, other)| own.is_like(other));
        self.workload == other.workload || (self.kind.is_some() && self.kind == other.kind && near())
    }

    /// What it costs; without an instance type that is not known.
    pub(crate) fn costs(&self, prices: &PriceList) -> Costs {
        let price = match &self.instance_type {
            Some(instance_type) => prices.of(instance_type),
            None => Observed::absent("no instance type was named"),
        };
        // What was not published costs nothing that can be said: a rate of 0 has no cost.
        let rate = |name: &str| self.metric(name).unwrap_or(0.0);
        let throughput = Throughput {
            input_tokens_per_s: rate("input_tokens_per_s"),
            output_tokens_per_s: rate("output_tokens_per_s"),
            requests_per_s: rate("requests_per_s"),
        };
        Costs::of(&price, &throughput, OutputWeight::default())
    }

    /// Machine and setting in a few words, to tell curves apart.
    pub(crate) fn setting(&self) -> String {
        let machine = match (&self.instance_type, &self.accelerator_name) {
            (Some(instance_type), _) if !self.is_comparable_only => instance_type.to_string(),
            (_, Some(name)) => format!("{} × {name}", self.accelerators_used.unwrap_or(1)),
            _ => "unnamed machine".to_owned(),
        };
        let parallel = self.tensor_parallel.map(|degree| format!("TP {degree}"));
        [Some(machine), self.precision.clone(), parallel].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl From<&BenchmarkResult> for Reading {
    fn from(result: &BenchmarkResult) -> Self {
        let (provenance, report) = (&result.provenance, &result.report);
        let supported = |metric: &Metric| match metric {
            Metric::Latency(_, statistic) => report.supports(*statistic),
            Metric::OutputTokensPerS | Metric::InputTokensPerS | Metric::RequestsPerS => true,
        };
        Self {
            id: result.id.0.to_string(),
            origin: provenance.origin,
            model: provenance.model.clone(),
            instance_type: Some(provenance.instance_type.clone()),
            is_comparable_only: false,
            accelerator_name: None,
            accelerators_used: provenance.accelerators_used.value().copied(),
            kind: None,
            engine: provenance.engine.to_string(),
            engine_version: provenance.engine_version.value().cloned(),
            precision: provenance.quantization.value().map(ToString::to_string),
            tensor_parallel: Some(provenance.tensor_parallel),
            offered_load: Some(result.offered_load),
            input_tokens_mean: Some(report.input_tokens.mean),
            output_tokens_mean: Some(report.output_tokens.mean),
            metrics: Metric::all().filter(supported).map(|metric| (metric, report.value(metric))).collect(),
            estimates: report.estimates.clone(),
            requests_completed: Some(report.requests_completed),
            error_share: Some(report.error_share()),
            validity: Some(result.validity),
            is_superseded: result.superseded_by.is_some(),
            workload: provenance.workload_sha256.to_string(),
            date: result.recorded_at.format("%Y-%m-%d").to_string(),
            source: "AccelBench".to_owned(),
        }
    }
}

impl From<&StoredImport> for Reading {
    fn from(stored: &StoredImport) -> Self {
        let result = &stored.result;
        let (hardware, engine) = (&result.hardware, &result.engine);
        let whole = |mean: Option<f64>| mean.map_or_else(|| "?".to_owned(), |mean| format!("{mean:.0}"));
        let (completed, failed) = (result.requests_completed, result.requests_failed);
        let share = |(completed, failed): (u64, u64)| failed as f64 / (completed + failed).max(1) as f64;
        Self {
            id: stored.imported_result_id.to_string(),
            origin: Origin::Imported,
            model: result.model.clone(),
            instance_type: hardware
                .instance_type
                .clone()
                .or_else(|| hardware.comparable_instance_type.clone()),
            is_comparable_only: hardware.instance_type.is_none(),
            accelerator_name: hardware.accelerator_name.clone(),
            accelerators_used: hardware.accelerators_used,
            kind: Some(result.kind.as_str()),
            engine: engine.name.clone().unwrap_or_else(|| "unnamed".to_owned()),
            engine_version: engine.version.clone(),
            precision: engine.precision.clone(),
            tensor_parallel: engine.tensor_parallel,
            offered_load: result.offered_load,
            input_tokens_mean: result.input_tokens_mean,
            output_tokens_mean: result.output_tokens_mean,
            metrics: result.metrics.clone(),
            estimates: BTreeMap::new(),
            requests_completed: completed,
            error_share: completed.zip(failed).map(share),
            validity: None,
            is_superseded: false,
            workload: format!(
                "{} {} {}",
                result.kind.as_str(),
                whole(result.input_tokens_mean),
                whole(result.output_tokens_mean)
            ),
            date: result.source.date.clone().unwrap_or_else(|| "undated".to_owned()),
            source: result.source.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use accelbench_store::imported::StoredImport;
    use serde_json::{Value, json};

    use super::Reading;

    fn published(change: &Value) -> Reading {
        let mut record = json!({
            "imported_result_id": "0".repeat(64), "imported_at": "2026-11-24T00:00:00Z", "imported_by": null,
            "source": {"name": "a paper"}, "model": "some/model", "kind": "online_serving",
            "hardware": {"comparable_instance_type": "g6e.xlarge", "accelerator_name": "L40S", "accelerators_used": 1},
            "engine": {"name": "vLLM", "precision": "fp8", "tensor_parallel": 1}, "offered_load": {"concurrency": 4},
            "batch_size": null, "input_tokens_mean": 500.0, "output_tokens_mean": 100.0, "requests_completed": 99,
            "requests_failed": 1, "metrics": {"output_tokens_per_s": 200.0, "e2e_p50_ms": 2000.0}, "caveats": [],
        });
        for (key, value) in change.as_object().unwrap() {
            record[key] = value.clone();
        }
        let stored: StoredImport = serde_json::from_value(record).unwrap();
        Reading::from(&stored)
    }

    #[test]
    fn what_ran_elsewhere_is_named_by_its_accelerator() {
        let reading = published(&json!({}));
        assert_eq!(reading.setting(), "1 × L40S fp8 TP 1");
        assert!(reading.is_comparable_only);
        assert_eq!((reading.error_share, reading.interactivity()), (Some(0.01), Some(50.0)));
    }

    #[test]
    fn nearly_equal_lengths_are_one_workload_and_other_ways_of_measuring_are_not() {
        let reading = published(&json!({}));
        assert!(reading.was_asked_like(&published(&json!({"output_tokens_mean": 110.0}))));
        assert!(!reading.was_asked_like(&published(&json!({"output_tokens_mean": 200.0}))));
        assert!(
            !reading
                .was_asked_like(&published(&json!({"kind": "offline_batch", "output_tokens_mean": 101.0})))
        );
        assert!(!reading.was_asked_like(&published(&json!({"output_tokens_mean": null}))));
    }
}
