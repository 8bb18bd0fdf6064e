//! Prices: the real client of AWS against a local double that serves samples of AWS's answers, page by page and with
//! faults.

use accelbench_store::PgPool;
use accelbench_store::prices::{KnownPrice, PriceFilter, is_due, newest};
use accelbench_tests::database::TestDatabase;
use accelbench_tests::double::{self, Script};
use accelbench_tests::installation::Installation;
use accelbench_worker::jobs::refresh_prices;
use accelbench_worker::prices::PriceSource;
use accelbench_worker::prices::price_list::{PriceList, SOURCE};
use aws_sdk_pricing::Client;
use aws_sdk_pricing::config::{BehaviorVersion, Config, Credentials, Region};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing};
use serde_json::{Value, json};

mod ec2;
mod savings_plans;

const SAMPLE: &str = include_str!("../../worker/tests/data/accelerated.json");

#[derive(Clone)]
enum Answer {
    /// Products, and whether another page follows.
    Page(Vec<Value>, bool),
    Fault(StatusCode, &'static str),
}

async fn answer(State(script): State<Script<Answer>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(headers["x-amz-target"], "AWSPriceListService.GetProducts");
    assert_eq!(request["ServiceCode"], "AmazonEC2");
    assert!(
        request["Filters"].as_array().unwrap().iter().any(|filter| filter["Field"] == "regionCode"),
        "{request}"
    );
    match script.next().unwrap() {
        Answer::Page(products, more) => Json(json!({
            "FormatVersion": "aws_v1",
            "PriceList": products,
            "NextToken": more.then_some("the next page"),
        }))
        .into_response(),
        Answer::Fault(status, kind) => {
            (status, Json(json!({"__type": kind, "message": "the test says no"}))).into_response()
        }
    }
}

async fn price_list(answers: Vec<Answer>) -> PriceList {
    let router = Router::new().route("/", routing::post(answer)).with_state(Script::of(answers));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(double::serve(router).await.unwrap())
        .build();
    PriceList::new(Client::from_conf(config))
}

fn products() -> Vec<Value> {
    let sample: Value = serde_json::from_str(SAMPLE).unwrap();
    sample["PriceList"].as_array().unwrap().clone()
}

async fn seeded() -> TestDatabase {
    let database = TestDatabase::create().await.unwrap();
    accelbench_store::seed::seed(&database.pool).await.unwrap();
    database
}

async fn ask(pool: &PgPool, source: &dyn PriceSource) {
    refresh_prices::run(pool, source, &["us-east-1".to_owned()]).await.unwrap();
}

async fn refresh(pool: &PgPool, answers: Vec<Answer>) {
    ask(pool, &price_list(answers).await).await;
}

async fn on_demand(pool: &PgPool, instance_type: &str) -> KnownPrice {
    of_tier(pool, instance_type, "on_demand").await.pop().unwrap()
}

async fn of_tier(pool: &PgPool, instance_type: &str, tier: &str) -> Vec<KnownPrice> {
    let filter =
        PriceFilter { instance_type: Some(instance_type), region: Some("us-east-1"), tier: Some(tier) };
    newest(&mut pool.acquire().await.unwrap(), &filter).await.unwrap()
}

async fn last_refresh(pool: &PgPool) -> (i32, i32, Option<String>) {
    let last = "SELECT offers, changed, error FROM price_refreshes ORDER BY price_refresh_id DESC LIMIT 1";
    sqlx::query_as(last).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn live_prices_take_the_place_of_those_of_the_release_page_by_page() {
    let database = seeded().await;
    let pool = &database.pool;
    let before = on_demand(pool, "g6.xlarge").await;
    assert!(!before.price.source.contains("GetProducts"), "{before:?}");
    let products = products();
    let (first, second) = products.split_at(7);
    let pages = || vec![Answer::Page(first.to_vec(), true), Answer::Page(second.to_vec(), false)];
    refresh(pool, pages()).await;

    let after = on_demand(pool, "g6.xlarge").await;
    assert!(after.price.source.starts_with("AWS Price List (GetProducts)"), "{after:?}");
    assert!(after.confirmed_at > before.confirmed_at);
    let (offers, changed, error) = last_refresh(pool).await;
    assert!(offers > 50 && changed == offers && error.is_none(), "{offers} {changed} {error:?}");
    // An instance type that the list does not offer says so; it costs not nothing.
    let absent = on_demand(pool, "trn2.48xlarge").await;
    assert!(
        absent
            .price
            .price
            .absent_reason()
            .unwrap()
            .contains("offers no trn2.48xlarge on demand in us-east-1")
    );

    // The same list again is no news, but the prices are younger.
    refresh(pool, pages()).await;
    assert_eq!(last_refresh(pool).await, (offers, 0, None));
    let again = on_demand(pool, "g6.xlarge").await;
    assert!(again.confirmed_at > after.confirmed_at && again.price == after.price);

    let dearer: Vec<Value> =
        products.iter().map(|text| text.as_str().unwrap().replace("0.8048000000", "0.9").into()).collect();
    refresh(pool, vec![Answer::Page(dearer, false)]).await;
    assert_eq!(last_refresh(pool).await.1, 1);
    let price = on_demand(pool, "g6.xlarge").await.price.price;
    assert!((price.value().unwrap().per_hour - 0.9).abs() < 1e-9);
}

#[tokio::test]
async fn a_service_that_fails_for_a_moment_is_asked_again_and_one_that_refuses_changes_nothing() {
    let database = seeded().await;
    let pool = &database.pool;
    let busy = Answer::Fault(StatusCode::INTERNAL_SERVER_ERROR, "InternalErrorException");
    refresh(pool, vec![busy, Answer::Page(products(), false)]).await;
    assert_eq!(last_refresh(pool).await.2, None);
    let known = on_demand(pool, "g6.xlarge").await;

    let denied = Answer::Fault(StatusCode::BAD_REQUEST, "AccessDeniedException");
    refresh(pool, vec![denied]).await;
    let (_, _, error) = last_refresh(pool).await;
    assert!(error.as_ref().is_some_and(|error| error.contains("the test says no")), "{error:?}");
    assert_eq!(on_demand(pool, "g6.xlarge").await, known);

    // A broken product among good ones, and a list without any.
    let mut broken = products();
    broken.push("{".into());
    refresh(pool, vec![Answer::Page(broken, false)]).await;
    assert_eq!(last_refresh(pool).await.2, None);
    refresh(pool, vec![Answer::Page(Vec::new(), false)]).await;
    assert!(last_refresh(pool).await.2.unwrap().contains("no compute instance in us-east-1"));
}

#[tokio::test]
async fn a_list_is_due_a_day_after_it_was_read_and_an_hour_after_it_failed() {
    let database = seeded().await;
    let pool = &database.pool;
    let due = async || is_due(&mut pool.acquire().await.unwrap(), SOURCE, "us-east-1").await.unwrap();
    let age = async |hours: f64| {
        let age = "UPDATE price_refreshes SET refreshed_at = now() - make_interval(secs => $1 * 3600)";
        sqlx::query(age).bind(hours).execute(pool).await.unwrap();
    };
    assert!(due().await, "a fresh installation");
    refresh(pool, vec![Answer::Fault(StatusCode::BAD_REQUEST, "AccessDeniedException")]).await;
    assert!(!due().await);
    age(1.1).await;
    assert!(due().await, "an hour after a failure");
    refresh(pool, vec![Answer::Page(products(), false)]).await;
    age(23.0).await;
    assert!(!due().await);
    age(24.1).await;
    assert!(due().await, "a day after it was read");
}

#[tokio::test]
async fn prices_are_shown_with_their_age_and_are_never_changed() {
    let installation = Installation::start().await.unwrap();
    let answer = installation.get("/api/v1/prices?instance_type=p5.48xlarge&region=us-east-1").await.unwrap();
    let prices = answer["prices"].as_array().unwrap();
    let tiers: Vec<_> = prices.iter().map(|price| (&price["tier"], &price["payment"])).collect();
    assert!(tiers.contains(&(&json!("on_demand"), &Value::Null)), "{tiers:?}");
    assert!(tiers.contains(&(&json!("reserved_3_year"), &json!("all_upfront"))), "{tiers:?}");
    assert!(prices.iter().all(|price| price["confirmed_at"].is_string() && price["source"].is_string()));
    let refused = installation.get("/api/v1/prices?tier=cheap").await.unwrap_err().to_string();
    assert!(refused.contains("422"), "{refused}");
    let pool = &installation.database.pool;
    for statement in ["UPDATE prices SET price_per_hour = 1", "DELETE FROM prices", "TRUNCATE prices"] {
        let error = sqlx::query(statement).execute(pool).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
}
