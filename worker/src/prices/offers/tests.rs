use std::collections::BTreeMap;

use accelbench_core::price::{Payment, Price, PricingTier, Term};
use chrono::Utc;
use proptest::prelude::*;
use serde_json::Value;

use super::read;

/// All prices in an answer, whose products are JSON texts or, in retyped samples, objects.
fn prices(answer: &str) -> Vec<Price> {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let texts = answer["PriceList"].as_array().unwrap().iter();
    let texts = texts.map(|product| product.as_str().map_or_else(|| product.to_string(), str::to_owned));
    texts.flat_map(|text| read(&text, Utc::now()).unwrap()).collect()
}

fn per_hour(price: &Price) -> f64 {
    price.price.value().unwrap().per_hour
}

#[test]
fn on_demand_prices_of_accelerated_instances_are_read() {
    let prices = prices(include_str!("../../../tests/data/accelerated.json"));
    assert_eq!(prices.len(), 15);
    let price = |name: &str, region: &str| {
        let found = prices.iter().find(|it| it.instance_type.as_str() == name && it.region == region);
        per_hour(found.unwrap())
    };
    assert!(prices.iter().all(|price| price.tier == PricingTier::OnDemand && price.currency == "USD"));
    assert!((price("g6.xlarge", "us-east-1") - 0.8048).abs() < 1e-9);
    assert!((price("p5.48xlarge", "us-west-2") - 55.04).abs() < 1e-9);
}

#[test]
fn of_the_odd_offers_only_the_two_plain_ones_are_prices() {
    let prices = prices(include_str!("../../../tests/data/odd_cases.json"));
    let found: BTreeMap<&str, f64> =
        prices.iter().map(|price| (price.instance_type.as_str(), per_hour(price))).collect();
    assert_eq!((prices.len(), found), (2, BTreeMap::from([("m5.xlarge", 0.192), ("p5.48xlarge", 55.04)])));
}

#[test]
fn reserved_terms_spread_their_upfront_fee_and_convertible_ones_are_left_out() {
    let prices = prices(include_str!("../../../tests/data/reserved.json"));
    let found: BTreeMap<PricingTier, (f64, f64)> = prices
        .iter()
        .map(|price| (price.tier, (per_hour(price), price.price.value().unwrap().upfront)))
        .collect();
    assert_eq!((prices.len(), found.len()), (7, 7), "on demand, and six standard terms");
    let close = |tier, hourly: f64, upfront: f64| {
        let (found_hourly, found_upfront) = found[&tier];
        assert!((found_hourly - hourly).abs() < 1e-6 && (found_upfront - upfront).abs() < 1e-9, "{tier:?}");
    };
    close(PricingTier::OnDemand, 0.096, 0.0);
    // 494 / 8760; and no fee for the option without one.
    close(PricingTier::Reserved(Term::OneYear, Payment::AllUpfront), 494.0 / 8760.0, 494.0);
    let no_upfront = found[&PricingTier::Reserved(Term::ThreeYears, Payment::NoUpfront)];
    assert!(no_upfront.1 == 0.0 && no_upfront.0 < 0.096, "{no_upfront:?}");
    // Paying in advance is cheaper, and three years are cheaper than one.
    for term in [Term::OneYear, Term::ThreeYears] {
        let hourly = |payment| found[&PricingTier::Reserved(term, payment)].0;
        assert!(hourly(Payment::AllUpfront) < hourly(Payment::PartialUpfront));
        assert!(hourly(Payment::PartialUpfront) < hourly(Payment::NoUpfront));
    }
}

#[test]
fn dedicated_and_unused_capacity_and_empty_terms_are_no_prices() {
    assert_eq!(prices(include_str!("../../../tests/data/dedicated.json")), []);
    assert_eq!(prices(include_str!("../../../tests/data/empty_terms.json")), []);
}

#[test]
fn what_is_no_offer_is_an_error_and_what_is_no_number_names_the_offer() {
    for text in ["", "[]", "null", "{\"product\": 3}", "{\"product\": {\"attributes\": {\"a\": 1}}}"] {
        assert!(read(text, Utc::now()).is_err(), "{text}");
    }
    let answer = include_str!("../../../tests/data/accelerated.json").replace("0.8048000000", "-1");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let errors = answer["PriceList"].as_array().unwrap().iter();
    let errors: Vec<_> = errors
        .filter_map(|text| read(text.as_str().unwrap(), Utc::now()).err())
        .map(|it| it.to_string())
        .collect();
    assert!(
        !errors.is_empty() && errors.iter().all(|error| error.contains("`-1` in the offer")),
        "{errors:?}"
    );
}

proptest! {
    #[test]
    fn arbitrary_texts_never_panic(text in "\\PC{0,200}") {
        let _ = read(&text, Utc::now());
    }
}
