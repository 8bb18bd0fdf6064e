//! Costs against sums worked out by hand.

use super::{Costs, OutputWeight, Throughput, of_run, per_million_output_tokens, per_request};
use crate::load::examples::{plan, report};
use crate::observed::Observed;
use crate::price::{HourlyPrice, Term};

pub(super) fn price(per_hour: f64) -> Observed<HourlyPrice> {
    Observed::Value(HourlyPrice { per_hour, upfront: 0.0 })
}

pub(super) fn near(actual: &Observed<f64>, expected: f64) -> bool {
    actual.value().is_some_and(|value| (value - expected).abs() <= 1e-9 * expected.abs())
}

#[test]
fn the_formulas_are_those_of_the_prd() {
    // p5.48xlarge at 55.04 an hour; 1,000 output tokens/s make 3.6 million an hour: 55.04 / 3.6 = 15.2888... a million.
    let throughput =
        Throughput { input_tokens_per_s: 4000.0, output_tokens_per_s: 1000.0, requests_per_s: 5.0 };
    let costs = Costs::of(&price(55.04), &throughput, OutputWeight::default());
    assert!(near(&costs.instance_per_hour, 55.04));
    assert!(near(&costs.per_million_output_tokens, 55.04 / 3.6), "{costs:?}");
    assert!(near(&costs.per_million_input_tokens, 55.04 / 14.4), "{costs:?}");
    // 18,000 requests an hour.
    assert!(near(&costs.per_request, 55.04 / 18_000.0), "{costs:?}");
}

#[test]
fn a_reserved_hour_includes_its_upfront_fee() {
    // 8,760 in advance for a year and 1 an hour are 2 an hour; 100 requests/s are 360,000 an hour.
    let reserved = Observed::Value(HourlyPrice::reserved(Term::OneYear, 1.0, 8760.0));
    assert!(near(&per_request(&reserved, 100.0), 2.0 / 360_000.0));
}

#[test]
fn a_run_costs_its_seconds() {
    for (per_hour, seconds, cost) in [(55.04, 900.0, 13.76), (1.006, 3600.0, 1.006), (32.0, 0.0, 0.0)] {
        assert!(near(&of_run(&price(per_hour), seconds), cost), "{per_hour} for {seconds} s");
    }
    for seconds in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(of_run(&price(1.0), seconds).value().is_none(), "{seconds}");
    }
}

#[test]
fn a_tier_without_an_offer_has_no_cost_but_its_reason() {
    let none = Observed::absent("AWS sells no reserved p5en.48xlarge in us-east-1");
    let throughput = Throughput::of(&report(&plan(), 0));
    let costs = Costs::of(&none, &throughput, OutputWeight::default());
    for cost in [&costs.instance_per_hour, &costs.per_million_output_tokens, &costs.per_request] {
        assert_eq!(cost.absent_reason(), Some("AWS sells no reserved p5en.48xlarge in us-east-1"));
    }
    assert_eq!(costs.blended.absent_reason(), none.absent_reason());
    assert!(of_run(&none, 60.0).value().is_none());
}

#[test]
fn odd_numbers_have_a_reason_instead_of_a_cost() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-320] {
        let cost = per_million_output_tokens(&price(1.0), rate);
        assert!(cost.absent_reason().is_some_and(|why| why.contains("output tokens")), "{rate}: {cost:?}");
    }
    for per_hour in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let cost = per_request(&price(per_hour), 1.0);
        assert!(cost.absent_reason().is_some_and(|why| why.contains("no price")), "{per_hour}: {cost:?}");
    }
}
