//! When a target is due, what it is expected to take, and what a budget allows.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Candidate, Decision, Expectation, LastRun, Reason, RefreshPlan, Target, Terms};
use crate::observed::Observed;
use crate::price::HourlyPrice;
use crate::run::RunId;

const IMAGE: &str = "registry/vllm:1";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn target(number: u128, instance_type: &str, last_days_ago: Option<i64>) -> Target {
    let spec = json!({
        "model": "acme/tiny-1b", "instance_type": instance_type,
        "platform": {"kind": "kubernetes", "engine": "vllm"},
        "load_points": [{"concurrency": 1}, {"concurrency": 8}],
        "measurement": {"min_duration_s": 60.0, "ramp_up_s": 30.0},
    });
    let last_run = last_days_ago.map(|days| LastRun {
        run_id: RunId::new(),
        submitted_at: now() - Duration::days(days),
        finished: true,
        engine_image: Some(IMAGE.to_owned()),
    });
    Target {
        id: Uuid::from_u128(number),
        spec: serde_json::from_value(spec).unwrap(),
        refresh_every: Duration::days(7),
        last_run,
        newest_revision_at: None,
    }
}

fn candidate(number: u128, instance_type: &str, last_days_ago: Option<i64>, usd: f64) -> Candidate {
    let engine_image = Some(IMAGE.to_owned());
    Candidate {
        target: target(number, instance_type, last_days_ago),
        gated: false,
        expected: Ok(Expectation { engine_image, hours: 0.5, usd: Observed::Value(usd) }),
    }
}

fn terms(budget_usd: Option<f64>) -> Terms {
    Terms { budget_usd, spent_usd: 0.0, has_token: true, now: now() }
}

fn decisions(plan: &RefreshPlan) -> Vec<(u128, Decision)> {
    plan.targets.iter().map(|planned| (planned.catalog_target_id.as_u128(), planned.decision)).collect()
}

#[test]
fn a_target_is_due_when_it_is_new_old_or_something_it_rests_on_is_new() {
    let due = |change: fn(&mut Target), last| {
        let mut target = target(1, "g6e.xlarge", last);
        change(&mut target);
        target.due(Some(IMAGE), now())
    };
    assert_eq!(due(|_| {}, None), Some(Reason::NeverMeasured));
    assert_eq!(due(|_| {}, Some(6)), None);
    assert_eq!(due(|_| {}, Some(7)), Some(Reason::Age));
    let revised = |it: &mut Target| it.newest_revision_at = Some(now() - Duration::days(1));
    assert_eq!(due(revised, Some(2)), Some(Reason::NewRevision));
    assert_eq!(due(revised, Some(0)), None);
    let released = |it: &mut Target| it.last_run.as_mut().unwrap().engine_image = Some("vllm:0".to_owned());
    assert_eq!(due(released, Some(1)), Some(Reason::NewEngine));
}

#[test]
fn a_budget_goes_to_what_was_never_measured_and_then_to_the_oldest() {
    let candidates = || {
        vec![
            candidate(1, "p5.48xlarge", Some(8), 60.0),
            candidate(2, "g6e.xlarge", Some(30), 30.0),
            candidate(3, "p5.48xlarge", None, 60.0),
            candidate(4, "g5.xlarge", Some(1), 5.0),
        ]
    };
    let plan = RefreshPlan::new(candidates(), &terms(Some(100.0)));
    let (old, new) = (Reason::Age, Reason::NeverMeasured);
    assert_eq!(
        decisions(&plan),
        [
            (2, Decision::Submit(old)),
            (3, Decision::Submit(new)),
            (1, Decision::OverBudget(old)),
            (4, Decision::Fresh)
        ]
    );
    assert_eq!((plan.budget.planned_usd, plan.budget.planned_hours), (90.0, 1.0));
    assert_eq!(plan.submissions().count(), 2);
    let spent = Terms { spent_usd: 80.0, ..terms(Some(100.0)) };
    assert_eq!(RefreshPlan::new(candidates(), &spent).submissions().count(), 0);
    assert_eq!(RefreshPlan::new(candidates(), &terms(None)).submissions().count(), 3);
    assert_eq!(RefreshPlan::new(candidates(), &terms(Some(0.0))).submissions().count(), 0);
}

#[test]
fn what_is_submitted_follows_what_needs_the_same_node() {
    let order = ["p5.48xlarge", "g6e.xlarge", "p5.48xlarge", "g6e.xlarge"];
    let candidates = order.iter().zip(1..).map(|(name, number)| candidate(number, name, None, 1.0)).collect();
    let plan = RefreshPlan::new(candidates, &terms(None));
    let names: Vec<&str> =
        plan.submissions().map(|(planned, ..)| planned.spec.instance_type.as_str()).collect();
    assert_eq!(names, ["g6e.xlarge", "g6e.xlarge", "p5.48xlarge", "p5.48xlarge"]);
}

#[test]
fn what_cannot_be_had_or_paid_for_is_said() {
    let mut unpriced = candidate(1, "p5e.48xlarge", None, 0.0);
    if let Ok(expected) = &mut unpriced.expected {
        expected.usd = Observed::absent("no on-demand price");
    }
    let gated = Candidate { gated: true, ..candidate(2, "g6e.xlarge", None, 1.0) };
    let unsupported =
        Candidate { expected: Err("too large".to_owned()), ..candidate(3, "g5.xlarge", None, 1.0) };
    let mut running = candidate(4, "g6.xlarge", Some(20), 1.0);
    if let Some(last) = &mut running.target.last_run {
        last.finished = false;
    }
    let plan = RefreshPlan::new(
        vec![unpriced, gated, unsupported, running],
        &Terms { has_token: false, ..terms(None) },
    );
    let new = Reason::NeverMeasured;
    assert_eq!(
        decisions(&plan),
        [
            (1, Decision::NoPrice(new)),
            (2, Decision::NeedsToken(new)),
            (4, Decision::UnderWay),
            (3, Decision::Unsupported)
        ]
    );
}

#[test]
fn a_run_is_expected_to_take_what_people_are_told_it_would() {
    let model: Value = json!({
        "model": "acme/tiny-1b", "params_total_b": 1.0, "layers": 16, "kv_cache_bytes_per_token": 32768,
        "max_context_tokens": 8192, "source": "test",
    });
    let instance = json!({
        "instance_type": "g6e.xlarge", "family": "g6e", "accelerator_kind": "gpu", "accelerator_name": "L40S",
        "accelerator_count": 1, "accelerator_memory_gib": 44.7, "vcpu": 4, "memory_gib": 32, "source": "test",
    });
    let price = Observed::Value(HourlyPrice { per_hour: 3.6, upfront: 0.0 });
    let target = target(1, "g6e.xlarge", None);
    let expected = target.expect(
        &serde_json::from_value(model).unwrap(),
        &serde_json::from_value(instance).unwrap(),
        &price,
    );
    let expected = expected.unwrap();
    // Two windows and their warm-ups are minutes, and an hour costs 3.6.
    assert!((0.1..2.0).contains(&expected.hours), "{expected:?}");
    assert!((expected.usd.value().unwrap() - 3.6 * expected.hours).abs() < 1e-9, "{expected:?}");
    assert!(expected.engine_image.unwrap().contains("vllm"));
}
