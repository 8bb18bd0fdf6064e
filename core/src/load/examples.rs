//! A plan and a report with plausible numbers, for tests here and in the other crates.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::{TimeDelta, Utc};
use url::Url;

use super::{
    Distribution, Distributions, INTERVALS, ItlBasis, LoadPlan, LoadReport, Measurement, OfferedLoad,
    SCHEMA_VERSION, ServerMetrics, TimeSeries,
};
use crate::dataset::Sha256Hex;
use crate::metric::Metric;
use crate::observed::Observed;
use crate::run::RunId;
use crate::stats::{Estimate, Summary};
use crate::validity::{Check, Outcome};
use crate::workload::Workload;

const NO_EXPORTER: &str = "no exporter runs on this machine";

/// A plan of two load points: one request and four requests at a time.
///
/// # Panics
/// Never: its texts are well formed.
#[must_use]
pub fn plan() -> LoadPlan {
    let load = |requests| OfferedLoad::Concurrency(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN));
    LoadPlan {
        schema_version: SCHEMA_VERSION,
        run_id: RunId::new(),
        base_url: Url::parse("http://127.0.0.1:8000/").expect("the text is a URL"),
        served_model_name: "meta-llama/Llama-3.1-8B".to_owned(),
        workload: Workload::default(),
        dataset_sha256: Sha256Hex::of(b"dataset"),
        max_context_tokens: Some(131_072),
        load_points: vec![load(1), load(4)],
        exploration: None,
        explored: Vec::new(),
        slo: None,
        measurement: Measurement::default(),
        accelerator_metrics: Vec::new(),
        reported: Vec::new(),
    }
}

/// A report that answers load point `index` of `plan`.
///
/// # Panics
/// When the plan has no such load point.
#[must_use]
pub fn report(plan: &LoadPlan, index: u32) -> LoadReport {
    let summary = |scale: f64, count: u64| Summary {
        count,
        mean: 1.1 * scale,
        min: 0.5 * scale,
        p50: scale,
        p90: 1.5 * scale,
        p95: 1.7 * scale,
        p99: 2.0 * scale,
        max: 2.5 * scale,
    };
    let started_at = Utc::now();
    LoadReport {
        schema_version: SCHEMA_VERSION,
        run_id: plan.run_id,
        load_point_index: index,
        offered_load: plan.load_points[index as usize],
        started_at,
        finished_at: started_at + TimeDelta::seconds(60),
        window_s: 60.0,
        warmup_requests: 20,
        warmup_s: 5.0,
        requests_completed: 240,
        requests_failed: BTreeMap::new(),
        ttft_ms: summary(100.0, 240),
        itl_ms: summary(20.0, 49_200),
        itl_basis: ItlBasis::Exact,
        tpot_ms: summary(20.0, 240),
        e2e_ms: summary(4200.0, 240),
        request_output_tokens_per_s: summary(48.0, 240),
        output_tokens_per_s: 824.0,
        input_tokens_per_s: 896.0,
        requests_per_s: 4.0,
        input_tokens: summary(224.0, 240),
        output_tokens: summary(206.0, 240),
        concurrency_mean: plan.load_points[index as usize].concurrency().map_or(2.5, f64::from),
        estimates: BTreeMap::from([(
            Metric::OutputTokensPerS,
            Estimate { value: 824.0, standard_error: 4.0, degrees_of_freedom: 19.0, low: 815.6, high: 832.4 },
        )]),
        distributions: Some(distributions()),
        time_series: Some(time_series()),
        goodput: None,
        server: ServerMetrics::absent("the engine has no /metrics"),
        accelerator_utilization_percent: Observed::absent(NO_EXPORTER),
        accelerator_tensor_active_percent: Observed::absent(NO_EXPORTER),
        accelerator_memory_peak_gib: Observed::absent(NO_EXPORTER),
        accelerator_power_w: Observed::absent(NO_EXPORTER),
        accelerator_energy_per_output_token_j: Observed::absent(NO_EXPORTER),
        workload_sha256: plan.workload.fingerprint(&plan.dataset_sha256),
        loadgen_version: "0.1.0".to_owned(),
        checks: vec![Check {
            name: "error_share".to_owned(),
            outcome: Outcome::Pass,
            observed: 0.0,
            limit: 0.01,
            sentence: "0 of 240 requests failed".to_owned(),
        }],
    }
}

fn distributions() -> Distributions {
    let spread =
        |scale: f64, count: usize| Distribution::of_ms(&[0.5 * scale, scale, 2.0 * scale].repeat(count / 3));
    Distributions {
        ttft: spread(100.0, 240),
        itl: spread(20.0, 49_200),
        tpot: spread(20.0, 240),
        e2e: spread(4200.0, 240),
    }
}

fn time_series() -> TimeSeries {
    TimeSeries {
        requests_sent: vec![4; INTERVALS],
        requests_completed: vec![4; INTERVALS],
        input_tokens: vec![896; INTERVALS],
        output_tokens: vec![824; INTERVALS],
        in_flight_mean: vec![4.0; INTERVALS],
        ttft_mean_ms: vec![Some(110.0); INTERVALS],
        ..TimeSeries::empty(60.0 / INTERVALS as f64)
    }
}
