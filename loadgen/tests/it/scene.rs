//! A run of the load generator from plan to report.

use std::num::NonZeroU32;

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::load::{LoadPlan, LoadReport, Measurement, OfferedLoad, SCHEMA_VERSION};
use accelbench_core::run::RunId;
use accelbench_core::validity::{Check, Outcome};
use accelbench_core::workload::{Lengths, Workload};
use accelbench_loadgen::{LoadgenOptions, run_with_token};
use url::Url;

use crate::mock_api::{Answers, Heard, MockApi, TOKEN};
use crate::mock_engine::MockEngine;

pub(crate) const INPUT_TOKENS: u32 = 40;
pub(crate) const OUTPUT_TOKENS: u32 = 8;

const DATASET: &str = "{\"prompt\":\"Tell me how glaciers shape the valleys that they leave behind.\"}\n\
    {\"prompt\":\"Write a function that sorts a list of words by their length and then by the alphabet.\"}\n\
    {\"prompt\":\"A train leaves at noon and another one at two; when do they meet?\"}\n";

/// A plan of short load points with fixed lengths against `engine`.
pub(crate) fn plan(engine: &MockEngine, concurrencies: &[u32]) -> LoadPlan {
    plan_at(engine.url.clone(), concurrencies)
}

/// A plan of short load points with fixed lengths against the engine at `base_url`.
pub(crate) fn plan_at(base_url: Url, concurrencies: &[u32]) -> LoadPlan {
    let lengths = Lengths::Fixed { input_tokens: INPUT_TOKENS, output_tokens: OUTPUT_TOKENS };
    let load = |&requests: &u32| OfferedLoad::Concurrency(NonZeroU32::new(requests).unwrap());
    LoadPlan {
        schema_version: SCHEMA_VERSION,
        run_id: RunId::new(),
        base_url,
        served_model_name: "mock".to_owned(),
        workload: Workload { lengths, ..Workload::default() },
        dataset_sha256: Sha256Hex::of(DATASET.as_bytes()),
        max_context_tokens: Some(4096),
        load_points: concurrencies.iter().map(load).collect(),
        measurement: Measurement {
            min_duration_s: 0.5,
            min_requests: 40,
            max_duration_s: 10.0,
            ramp_up_s: 0.0,
        },
        accelerator_metrics: Vec::new(),
        exploration: None,
        explored: Vec::new(),
        slo: None,
        reported: Vec::new(),
    }
}

/// Runs the load generator to its end.
pub(crate) async fn play(plan: LoadPlan, answers: Answers) -> (anyhow::Result<()>, Heard) {
    let (run_id, api) = (plan.run_id, MockApi::start(plan, DATASET.into(), answers).await);
    let options = LoadgenOptions { api_url: api.url.clone(), run_id, request_timeout_s: 1 };
    let outcome = run_with_token(&options, TOKEN.to_owned()).await;
    (outcome, api.heard())
}

/// Runs a plan of one load point that ends well.
pub(crate) async fn play_one(plan: LoadPlan) -> LoadReport {
    let (outcome, heard) = play(plan, Answers::default()).await;
    outcome.unwrap();
    assert_eq!((heard.reports.len(), heard.failures.len()), (1, 0));
    heard.reports.into_iter().next().unwrap().1
}

pub(crate) fn check<'a>(report: &'a LoadReport, name: &str) -> &'a Check {
    report.checks.iter().find(|check| check.name == name).unwrap()
}

pub(crate) fn assert_passes(report: &LoadReport, name: &str) {
    let check = check(report, name);
    assert_eq!(check.outcome, Outcome::Pass, "{}", check.sentence);
}
