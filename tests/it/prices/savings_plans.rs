//! Savings plans: the real client of AWS against a local double that answers in the form of that service.

use std::sync::{Arc, Mutex};

use accelbench_core::price::{Payment, PricingTier, Term};
use accelbench_tests::double;
use accelbench_worker::prices::savings_plans::SavingsPlans;
use aws_sdk_savingsplans::Client;
use aws_sdk_savingsplans::config::{BehaviorVersion, Config, Credentials, Region};
use axum::extract::State;
use axum::{Json, Router, routing};
use serde_json::{Value, json};

use super::{ask, last_refresh, of_tier, seeded};

type Asked = Arc<Mutex<Vec<Value>>>;

fn rate(instance_type: &str, years: i64, payment: &str, rate: &str) -> Value {
    json!({
        "savingsPlanOffering": {
            "offeringId": "2f27e0ed", "paymentOption": payment, "planType": "Compute",
            "durationSeconds": years * 31_536_000, "currency": "USD", "planDescription": "3 year Compute Savings Plan",
        },
        "rate": rate, "unit": "Hrs", "productType": "EC2", "serviceCode": "AmazonEC2",
        "usageType": format!("BoxUsage:{instance_type}"), "operation": "RunInstances",
        "properties": [
            {"name": "region", "value": "us-east-1"}, {"name": "instanceType", "value": instance_type},
            {"name": "productDescription", "value": "Linux/UNIX"}, {"name": "tenancy", "value": "shared"},
        ],
    })
}

/// The rates of g6e on two pages, one of them broken; of other families nothing.
async fn answer(State(asked): State<Asked>, Json(question): Json<Value>) -> Json<Value> {
    let of_g6e = question["filters"].as_array().unwrap().iter().any(|filter| filter["values"][0] == "g6e");
    asked.lock().unwrap().push(question.clone());
    Json(match (of_g6e, question["nextToken"].as_str()) {
        (false, _) => json!({"searchResults": []}),
        (true, None) => json!({"nextToken": "more", "searchResults": [
            rate("g6e.xlarge", 1, "No Upfront", "1.3582"), rate("g6e.xlarge", 3, "All Upfront", "0.8934"),
            rate("g6e.nosuch", 3, "All Upfront", "0.8"), rate("g6e.xlarge", 3, "No Upfront", "free"),
        ]}),
        (true, Some(_)) => json!({"searchResults": [rate("g6e.xlarge", 3, "Partial Upfront", "0.9")]}),
    })
}

async fn double() -> (SavingsPlans, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route("/DescribeSavingsPlansOfferingRates", routing::post(answer))
        .with_state(Arc::clone(&asked));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(double::serve(router).await.unwrap())
        .build();
    (SavingsPlans::new(Client::from_conf(config)), asked)
}

#[tokio::test]
async fn rates_become_prices_with_what_is_paid_in_advance() {
    let database = seeded().await;
    let pool = &database.pool;
    let (plans, asked) = double().await;
    ask(pool, &plans).await;
    assert_eq!(last_refresh(pool).await, (3, 3, None));
    let prices = of_tier(pool, "g6e.xlarge", "savings_plan_3_year").await;
    let of = |payment| {
        let tier = PricingTier::SavingsPlan(Term::ThreeYears, payment);
        *prices.iter().find(|known| known.price.tier == tier).unwrap().price.price.value().unwrap()
    };
    let all = of(Payment::AllUpfront);
    assert!(
        (all.per_hour - 0.8934).abs() < 1e-6 && (all.upfront - 0.8934 * 26_280.0).abs() < 0.01,
        "{all:?}"
    );
    let part = of(Payment::PartialUpfront);
    assert!((part.per_hour - 0.9).abs() < 1e-6 && (part.upfront - 0.45 * 26_280.0).abs() < 0.01, "{part:?}");
    assert_eq!(of_tier(pool, "g6e.xlarge", "savings_plan_1_year").await.len(), 1);
    let asked = asked.lock().unwrap();
    let question = &asked[0];
    assert_eq!(
        (&question["savingsPlanTypes"], &question["products"], &question["serviceCodes"]),
        (&json!(["Compute"]), &json!(["EC2"]), &json!(["AmazonEC2"]))
    );
    assert!(asked.len() > 10, "a question for each family, and another page");
}
