//! Estimates of whole runs, worked out by hand where there is something to work out.

use serde_json::{Value, json};

use super::{HourlyUsd, OverBudget, RunEstimate, RunMoney};
use crate::engine::profile::{DeploymentRequest, choose};
use crate::instance::InstanceType;
use crate::model::Model;
use crate::observed::Observed;
use crate::price::{HourlyPrice, Price};
use crate::run::RunSpec;

fn llama() -> Model {
    serde_json::from_value(json!({
        "model": "meta-llama/Llama-3.1-8B", "source": "test", "params_total_b": 8.03, "layers": 32,
        "kv_cache_bytes_per_token": 131_072.0, "max_context_tokens": 131_072, "attention_heads": 32, "kv_heads": 8,
    }))
    .unwrap()
}

fn instance() -> InstanceType {
    serde_json::from_value(json!({
        "instance_type": "g6e.xlarge", "family": "g6e", "accelerator_kind": "gpu", "accelerator_name": "L40S",
        "accelerator_count": 1, "accelerator_memory_gib": 44.703, "accelerator_bandwidth_gb_per_s": 864.0,
        "accelerator_bf16_tflops": 181.0, "vcpu": 4, "memory_gib": 32.0, "source": "test",
    }))
    .unwrap()
}

fn spec(changes: &Value) -> RunSpec {
    let mut spec = json!({
        "model": "meta-llama/Llama-3.1-8B", "instance_type": "g6e.xlarge", "platform": {"kind": "kubernetes"},
        "workload": {"lengths": {"kind": "fixed", "input_tokens": 512, "output_tokens": 128}},
        "load_points": [{"concurrency": 1}, {"concurrency": 16}],
        "measurement": {"min_duration_s": 60.0, "min_requests": 200, "max_duration_s": 600.0},
    });
    for (field, value) in changes.as_object().unwrap() {
        spec[field] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

fn price() -> HourlyUsd {
    Observed::Value(HourlyPrice { per_hour: 1.861, upfront: 0.0 })
}

fn estimate(changes: &Value) -> RunEstimate {
    let (spec, model, instance) = (spec(changes), llama(), instance());
    let plan = choose(&DeploymentRequest::of_run(&spec, &model, &instance)).unwrap();
    let plan = matches!(spec.platform, crate::run::PlatformSpec::Kubernetes { .. }).then_some(&plan);
    RunEstimate::of(&spec, &model, &instance, plan, &price())
}

#[test]
fn the_estimate_says_speed_time_and_money_with_their_intervals() {
    let lines = [
        "concurrency 1: estimate 35.8 (24.0 to 51.0) output tokens/s, TTFT 148 (67.0 to 1620) ms, ITL 27.0 (13.5 to 34.7) ms",
        "concurrency 16: estimate 367 (247 to 523) output tokens/s, TTFT 178 (80.7 to 1953) ms, ITL 28.7 (14.3 to 36.9) ms",
        "time: estimate 25.3 (13.4 to 57.2) minutes (start 7.33 (2.42 to 21.5), measuring 15.9 (10.4 to 25.7), teardown \
         2.00 (0.50 to 10.0); start and teardown are assumptions); ended after 120 in any case",
        "cost: estimate 0.78 USD (0.41 to 1.77) at 1.8610 an hour; 4.03 at its time limit",
    ];
    assert_eq!(estimate(&json!({})).to_string(), lines.join("\n"));
}

#[test]
fn time_is_the_sum_of_its_parts_and_money_follows_from_it() {
    let estimate = estimate(&json!({}));
    let time = estimate.time;
    let parts = time.startup_s.value + time.measuring_s.value + time.teardown_s.value;
    assert!((time.total_s.value - parts).abs() < 1e-9, "{time:?}");
    // A node in 300 s, an engine in 90 s, and 14.957 GiB at 0.3 GiB/s.
    assert!((time.startup_s.value - (300.0 + 90.0 + 14.957 / 0.3)).abs() < 0.1, "{time:?}");
    let RunMoney::Usd { estimate: usd, at_time_limit, .. } = estimate.money else {
        panic!("there is a price")
    };
    assert!((usd.value - 1.861 * time.total_s.value / 3600.0).abs() < 1e-9);
    // Two hours, and ten minutes of teardown.
    assert!((at_time_limit - 1.861 * (2.0 + 1.0 / 6.0)).abs() < 1e-9);
    assert!(usd.low < usd.value && usd.value < usd.high);
}

#[test]
fn nothing_lasts_longer_than_the_time_limit_and_the_teardown() {
    let short = estimate(&json!({"timeout_s": 600}));
    assert!((short.time.total_s.high - 1200.0).abs() < 1e-9, "{:?}", short.time);
}

#[test]
fn more_than_may_be_spent_is_refused_with_which_number_it_is() {
    let estimate = estimate(&json!({}));
    let RunMoney::Usd { estimate: usd, at_time_limit, .. } = estimate.money else {
        panic!("there is a price")
    };
    assert!(usd.high < at_time_limit, "{usd:?} {at_time_limit}");
    assert_eq!(estimate.keep_within(at_time_limit), Ok(()));
    let between = estimate.keep_within(f64::midpoint(usd.high, at_time_limit)).unwrap_err();
    assert!(matches!(between, OverBudget::TimeLimit { timeout_s: 7200, .. }), "{between}");
    let below = estimate.keep_within(usd.high * 0.99).unwrap_err();
    assert!(matches!(below, OverBudget::Estimate { .. }), "{below}");
    let OverBudget::TimeLimit { affordable_s, max_cost_usd, .. } = between else { panic!() };
    assert!(1.861 * f64::from(affordable_s + 600) / 3600.0 <= max_cost_usd);
}

#[test]
fn without_a_price_in_dollars_no_limit_is_kept_to() {
    let spec = spec(&json!({}));
    let mut listed = Price {
        instance_type: "g6e.xlarge".parse().unwrap(),
        region: "cn-north-1".to_owned(),
        tier: crate::price::PricingTier::OnDemand,
        currency: "CNY".to_owned(),
        price: price(),
        as_of: chrono::DateTime::UNIX_EPOCH,
        source: "test".to_owned(),
    };
    let of = |price: &HourlyUsd| RunEstimate::of(&spec, &llama(), &instance(), None, price).keep_within(1e6);
    let refused = of(&HourlyUsd::from(&listed)).unwrap_err();
    assert!(refused.to_string().contains("is in CNY, not in USD"), "{refused}");
    listed.currency = "USD".to_owned();
    assert_eq!(of(&HourlyUsd::from(&listed)), Ok(()));
}

#[test]
fn what_runs_elsewhere_costs_nothing() {
    for platform in
        [json!({"kind": "local", "engine": "simulator"}), json!({"kind": "endpoint", "url": "http://a:1/"})]
    {
        let estimate = estimate(&json!({"platform": platform}));
        assert!(matches!(estimate.money, RunMoney::NothingPaid { .. }), "{estimate}");
        assert_eq!(estimate.keep_within(0.01), Ok(()));
        assert!(estimate.time.startup_s.value < 10.0);
    }
}

#[test]
fn an_open_loop_has_as_many_requests_under_way_as_arrive_meanwhile() {
    let estimate = estimate(&json!({"load_points": [{"request_rate": {"per_s": 2.0}}]}));
    let Observed::Value(speed) = &estimate.load_points[0].speed else { panic!("{estimate}") };
    assert!((speed.requests_per_s.value - 2.0).abs() < 0.1, "{speed:?}");
}

#[test]
fn what_is_not_known_beforehand_is_said() {
    let lengths = json!({"lengths": {"kind": "as_in_dataset", "output_tokens": 64}});
    let estimate = estimate(&json!({"workload": lengths}));
    assert!(
        estimate.to_string().contains("no estimate: the lengths of the requests are the dataset's"),
        "{estimate}"
    );
    let point = &estimate.load_points[0];
    assert!(point.measuring_s.low >= 60.0 && point.measuring_s.high <= 60.0 + 2.0 * 600.0);
}

#[test]
fn a_sweep_is_shown_at_some_of_its_loads_and_lasts_for_all() {
    let sweep = json!({
        "load_points": [], "exploration": {"kind": "sweep", "max_concurrency": 64, "max_load_points": 12},
    });
    let estimate = estimate(&sweep);
    assert_eq!(estimate.load_points.len(), 4);
    let shown: f64 = estimate.load_points.iter().map(|point| point.measuring_s.high).sum();
    assert!((estimate.time.measuring_s.high - 3.0 * shown).abs() < 1e-6);
}

#[test]
fn the_means_of_the_table_are_those_of_the_table() {
    let rows: Vec<(f64, f64)> = include_str!("../../../datasets/lengths-sharegpt.csv")
        .lines()
        .filter_map(|line| {
            let (input, output) = line.split_once(',')?;
            Some((input.parse().ok()?, output.parse().ok()?))
        })
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
    let table = crate::workload::Lengths::Table { table: crate::workload::LengthTable::Sharegpt };
    let (input, output) = table.means().unwrap();
    assert!((mean(|row| row.0) - input).abs() < 0.5 && (mean(|row| row.1) - output).abs() < 0.5);
}
