//! Finding results: each filter by itself, and page by page.

use accelbench_core::engine::EngineKind;
use accelbench_core::model::Quantization;
use accelbench_core::observed::Observed;
use accelbench_core::result::{Origin, Provenance, ResultId};
use accelbench_core::run::{RunId, Transition};
use accelbench_core::validity::Outcome;
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{instances, intake, models};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::builders::{MODEL, Request, Store, instance, model, spec};
use crate::driver::{advance, provenance};

impl Store {
    async fn record_as(&self, request: &Request, change: impl FnOnce(&mut Provenance)) -> RunId {
        let run_id = self.submit(request).await;
        self.bring_to(run_id, "recording").await;
        let (lease, run) = self.take(run_id).await;
        let mut transaction = self.begin().await;
        let mut provenance = provenance(&mut transaction, &run).await;
        change(&mut provenance);
        results::record(&mut transaction, lease, &run, &provenance).await.unwrap();
        transaction.commit().await.unwrap();
        run_id
    }

    async fn runs_of(&self, filter: &ResultFilter) -> Vec<RunId> {
        let found = results::list(&mut *self.connection().await, filter, 100).await.unwrap();
        let mut runs: Vec<RunId> = found.iter().map(|result| result.run_id).collect();
        runs.dedup();
        runs
    }
}

/// A run on the simulator, then one of a large model on Trainium, which counts as measured.
async fn two_runs(store: &Store) -> (RunId, RunId) {
    let mut connection = store.connection().await;
    let large = model(&json!({"model": "acme/large-70b", "family": "large", "params_total_b": 70.0}));
    models::add(&mut connection, &large).await.unwrap();
    let trainium = instance(&json!({
        "instance_type": "trn2.48xlarge", "family": "trn2", "accelerator_kind": "neuron",
        "accelerator_name": "Trainium2", "accelerator_count": 16,
    }));
    instances::upsert(&mut connection, &trainium).await.unwrap();
    let simulated = store.record_as(&Request::default(), |_| {}).await;
    let request = Request {
        spec: spec(&json!({
            "model": "acme/large-70b", "instance_type": "trn2.48xlarge",
            "load_points": [{"concurrency": 8}], "workload": {"seed": 7},
        })),
        submitted_by: Some("ada"),
        ..Request::default()
    };
    let measured = store
        .record_as(&request, |provenance| {
            provenance.origin = Origin::Measured;
            provenance.engine = EngineKind::Vllm;
            provenance.engine_version = Observed::Value("0.11.0".to_owned());
            provenance.quantization = Observed::Value(Quantization::Fp8);
        })
        .await;
    (simulated, measured)
}

#[tokio::test]
async fn each_filter_admits_what_it_says() {
    let store = Store::new().await;
    let (simulated, measured) = two_runs(&store).await;
    let workload = store.results(measured).await[0].provenance.workload_sha256.as_str().to_owned();
    let all = ResultFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let soon = Utc::now() + TimeDelta::minutes(1);
    for (filter, expected) in [
        (all(), vec![measured, simulated]),
        (ResultFilter { run_id: Some(simulated), ..all() }, vec![simulated]),
        (ResultFilter { model: text(MODEL), ..all() }, vec![simulated]),
        (ResultFilter { model_family: text("large"), ..all() }, vec![measured]),
        (ResultFilter { min_params_b: Some(10.0), ..all() }, vec![measured]),
        (ResultFilter { max_params_b: Some(10.0), ..all() }, vec![simulated]),
        (ResultFilter { instance_type: text("g6e.xlarge"), ..all() }, vec![simulated]),
        (ResultFilter { instance_family: text("trn2"), ..all() }, vec![measured]),
        (ResultFilter { accelerator_name: text("L40S"), ..all() }, vec![simulated]),
        (ResultFilter { accelerator_kind: text("neuron"), ..all() }, vec![measured]),
        (ResultFilter { engine: text("vllm"), ..all() }, vec![measured]),
        (ResultFilter { engine_version: text("0.1.0"), ..all() }, vec![simulated]),
        (ResultFilter { quantization: text("fp8"), ..all() }, vec![measured]),
        (ResultFilter { origin: Some(Origin::Simulated), ..all() }, vec![simulated]),
        (ResultFilter { origin: Some(Origin::Imported), ..all() }, vec![]),
        (ResultFilter { concurrency: Some(4), ..all() }, vec![simulated]),
        (ResultFilter { submitted_by: text("ada"), ..all() }, vec![measured]),
        (ResultFilter { workload_sha256: Some(workload), ..all() }, vec![measured]),
        (ResultFilter { since: Some(soon), ..all() }, vec![]),
        (ResultFilter { until: Some(soon), ..all() }, vec![measured, simulated]),
    ] {
        assert_eq!(store.runs_of(&filter).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn one_result_is_found_by_its_id() {
    let store = Store::new().await;
    let run_id = store.run_in("finished").await;
    let mut connection = store.connection().await;
    for result in store.results(run_id).await {
        assert_eq!(results::find(&mut connection, result.id).await.unwrap(), result);
        let filter = ResultFilter { result_id: Some(result.id), ..ResultFilter::default() };
        assert_eq!(results::list(&mut connection, &filter, 10).await.unwrap(), [result]);
    }
}

#[tokio::test]
async fn a_result_that_failed_a_check_is_listed_only_on_request() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let mut connection = store.connection().await;
    for (mut report, outcome) in store.reports(run_id).await.into_iter().zip([Outcome::Fail, Outcome::Warn]) {
        report.checks[0].outcome = outcome;
        intake::put_report(&mut connection, run_id, &report).await.unwrap();
    }
    let (lease, run) = store.take(run_id).await;
    advance(&mut connection, lease, &run, Transition::Loaded).await.unwrap();
    store.bring_to(run_id, "finished").await;

    let outcomes = async |include_invalid| {
        let filter = ResultFilter { include_invalid, ..ResultFilter::default() };
        let found = results::list(&mut *store.connection().await, &filter, 10).await.unwrap();
        let mut outcomes: Vec<Outcome> = found.iter().map(|result| result.validity).collect();
        outcomes.sort();
        outcomes
    };
    assert_eq!(outcomes(false).await, [Outcome::Warn]);
    assert_eq!(outcomes(true).await, [Outcome::Warn, Outcome::Fail]);
}

#[tokio::test]
async fn pages_hold_every_result_once_the_newest_first() {
    let store = Store::new().await;
    for _ in 0..3 {
        store.run_in("finished").await;
    }
    let mut connection = store.connection().await;
    let whole = results::list(&mut connection, &ResultFilter::default(), 100).await.unwrap();
    let mut paged: Vec<ResultId> = Vec::new();
    let mut after = None;
    loop {
        let filter = ResultFilter { after, ..ResultFilter::default() };
        // Pages of three end between two results of one run, which have the same moment.
        let page = results::list(&mut connection, &filter, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.recorded_at, last.id));
        paged.extend(page.iter().map(|result| result.id));
    }
    assert_eq!(paged, whole.iter().map(|result| result.id).collect::<Vec<_>>());
    assert_eq!(paged.len(), 6);
    assert!(whole.is_sorted_by(|earlier, later| earlier.recorded_at >= later.recorded_at));
}
