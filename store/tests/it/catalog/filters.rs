//! Each filter by itself.

use accelbench_core::engine::EngineKind;
use accelbench_core::instance::{AcceleratorKind, AcceleratorVendor};
use accelbench_core::load::{ErrorClass, LoadReport};
use accelbench_core::model::Quantization;
use accelbench_core::observed::Observed;
use accelbench_core::result::Origin;
use accelbench_core::slo::{Limit, Slo};
use accelbench_store::catalog::CatalogFilter;
use accelbench_store::{instances, models};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::{Measured, by};
use crate::builders::{MODEL, Store, instance, model};

/// A small model on a GPU, and a large one on Trainium.
async fn two() -> Store {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    let large = model(&json!({"model": "acme/large-70b", "family": "large", "params_total_b": 70.0}));
    models::add(&mut connection, &large).await.unwrap();
    let trainium = instance(&json!({
        "instance_type": "trn2.48xlarge", "family": "trn2", "accelerator_kind": "neuron",
        "accelerator_name": "Trainium2", "accelerator_count": 16,
    }));
    instances::upsert(&mut connection, &trainium).await.unwrap();
    store.measure(Measured::default().on("g6e.xlarge", 4)).await;
    let slower = |report: &mut LoadReport| report.ttft_ms.p90 += 15.0;
    let large = Measured {
        spec: json!({"model": "acme/large-70b", "workload": {"seed": 7}}),
        provenance: |it| {
            it.engine_version = Observed::Value("0.11.0".to_owned());
            it.quantization = Observed::Value(Quantization::Fp8);
        },
        report: Box::new(slower),
    };
    store.measure(large.on("trn2.48xlarge", 8)).await;
    store
}

fn slo(limits: &[&str]) -> Slo {
    let limits: Vec<Limit> = limits.iter().map(|limit| limit.parse().unwrap()).collect();
    Slo::new(limits).unwrap()
}

#[tokio::test]
async fn each_filter_admits_what_it_says() {
    let store = two().await;
    let all = CatalogFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let (small, large) = (MODEL, "acme/large-70b");
    let soon = Utc::now() + TimeDelta::minutes(1);
    let workload = store.items(CatalogFilter { model: text(large), ..all() }, by("recorded_at")).await[0]
        .workload_sha256
        .to_string();
    for (filter, expected) in [
        (all(), vec![large, small]),
        (CatalogFilter { model: text(small), ..all() }, vec![small]),
        (CatalogFilter { model_family: text("large"), ..all() }, vec![large]),
        (CatalogFilter { min_params_b: Some(10.0), ..all() }, vec![large]),
        (CatalogFilter { max_params_b: Some(10.0), ..all() }, vec![small]),
        (CatalogFilter { instance_type: text("g6e.xlarge"), ..all() }, vec![small]),
        (CatalogFilter { instance_family: text("trn2"), ..all() }, vec![large]),
        (CatalogFilter { accelerator_name: text("l40s"), ..all() }, vec![small]),
        (CatalogFilter { accelerator_kind: Some(AcceleratorKind::Neuron), ..all() }, vec![large]),
        (CatalogFilter { accelerator_vendor: Some(AcceleratorVendor::Nvidia), ..all() }, vec![small]),
        (CatalogFilter { engine: Some(EngineKind::Vllm), ..all() }, vec![large, small]),
        (CatalogFilter { engine_version: text("0.11.0"), ..all() }, vec![large]),
        (CatalogFilter { quantization: Some(Quantization::Fp8), ..all() }, vec![large]),
        (CatalogFilter { workload_sha256: Some(workload), ..all() }, vec![large]),
        (CatalogFilter { concurrency: Some(4), ..all() }, vec![small]),
        (CatalogFilter { submitted_by: text("nobody"), ..all() }, vec![]),
        (CatalogFilter { since: Some(soon), ..all() }, vec![]),
        (CatalogFilter { until: Some(soon), ..all() }, vec![large, small]),
        (CatalogFilter { slo: Some(slo(&["ttft_p90_ms<=160"])), ..all() }, vec![small]),
        (
            CatalogFilter { slo: Some(slo(&["ttft_p90_ms<=200", "itl_p50_ms<=20"])), ..all() },
            vec![large, small],
        ),
        // 240 requests say nothing of it.
        (CatalogFilter { slo: Some(slo(&["ttft_p99_ms<=100000"])), ..all() }, vec![]),
        (CatalogFilter { origin: Origin::Simulated, ..all() }, vec![]),
    ] {
        let found = store.items(filter.clone(), by("recorded_at")).await;
        let found: Vec<&str> = found.iter().map(|item| item.model.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn requests_that_fail_keep_no_slo() {
    let store = Store::new().await;
    let failing = |report: &mut LoadReport| {
        report.requests_failed = [(ErrorClass::Timeout, 10)].into_iter().collect();
    };
    store.measure(Measured { report: Box::new(failing), ..Measured::default() }).await;
    let limits = CatalogFilter { slo: Some(slo(&["ttft_p50_ms<=100000"])), ..CatalogFilter::default() };
    assert_eq!(store.items(limits, by("recorded_at")).await.len(), 0);
    assert_eq!(store.current().await.len(), 1);
}

#[tokio::test]
async fn simulated_results_are_shown_only_when_asked_for() {
    let store = Store::new().await;
    let simulated = Measured {
        provenance: |it| (it.origin, it.engine) = (Origin::Simulated, EngineKind::Simulator),
        ..Measured::default()
    };
    store.measure(simulated).await;
    assert!(store.current().await.is_empty());
    let asked = CatalogFilter { origin: Origin::Simulated, ..CatalogFilter::default() };
    assert_eq!(store.items(asked, by("cost_per_request")).await.len(), 1);
}
