//! The formulas stand in core; SQL has those that lists are ordered by once more. They must agree to the last bit, or a
//! list would be out of the order that its own numbers show.

use accelbench_core::cost::{Costs, OutputWeight, Throughput};
use accelbench_core::metric::Statistic;
use accelbench_core::observed::Observed;
use accelbench_core::price::HourlyPrice;
use proptest::prelude::Strategy as _;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::builders::Store;

/// Prices and rates of every size that occurs, and of many that do not.
fn cases(count: usize) -> Vec<[f64; 4]> {
    let magnitude = |low: f64, high: f64| (low..high).prop_map(f64::exp);
    let case = (magnitude(-5.0, 6.0), magnitude(-4.0, 14.0), magnitude(-4.0, 12.0), magnitude(-6.0, 8.0));
    let mut runner = TestRunner::default();
    let one = |_| {
        let (price, input, output, requests) = case.new_tree(&mut runner).unwrap().current();
        [price, input, output, requests]
    };
    (0..count).map(one).collect()
}

#[tokio::test]
async fn sql_orders_by_the_formulas_of_core() {
    let store = Store::new().await;
    let cases = cases(2000);
    let column = |index: usize| cases.iter().map(|case| case[index]).collect::<Vec<f64>>();
    let in_sql: Vec<(f64, f64, f64, f64)> = sqlx::query_as(
        "SELECT cost_per_million(price, input), cost_per_million(price, output),
             cost_per_million(price, input + output), cost_per_unit(price, requests)
         FROM unnest($1::float8[], $2::float8[], $3::float8[], $4::float8[]) AS t (price, input, output, requests)",
    )
    .bind(column(0))
    .bind(column(1))
    .bind(column(2))
    .bind(column(3))
    .fetch_all(store.pool())
    .await
    .unwrap();
    for (case, in_sql) in cases.iter().zip(in_sql) {
        let [per_hour, input_tokens_per_s, output_tokens_per_s, requests_per_s] = *case;
        let throughput = Throughput { input_tokens_per_s, output_tokens_per_s, requests_per_s };
        let price = Observed::Value(HourlyPrice { per_hour, upfront: 0.0 });
        let costs = Costs::of(&price, &throughput, OutputWeight::default());
        let value = |cost: &Observed<f64>| *cost.value().unwrap();
        let in_core = (
            value(&costs.per_million_input_tokens),
            value(&costs.per_million_output_tokens),
            costs.blended.value().unwrap().per_million_tokens,
            value(&costs.per_request),
        );
        assert_eq!(in_sql, in_core, "{case:?}");
    }
}

#[tokio::test]
async fn statistics_of_too_few_requests_are_unknown_in_sql_as_in_core() {
    let store = Store::new().await;
    let definition: String = sqlx::query_scalar("SELECT pg_get_viewdef('catalog_candidates')")
        .fetch_one(store.pool())
        .await
        .unwrap();
    for statistic in Statistic::ALL {
        for latency in ["ttft", "itl", "tpot", "e2e"] {
            let (word, least) = (statistic.as_str(), statistic.least_requests());
            let rule = format!("WHEN (result.requests_completed >= {least}) THEN result.{latency}_{word}_ms");
            assert!(definition.contains(&rule), "{rule} is not in {definition}");
        }
    }
}
