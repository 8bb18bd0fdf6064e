//! Spot prices and instance types: our client of EC2 against a local double that checks what it is sent and answers in the
//! form of EC2's API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use accelbench_store::instances;
use accelbench_tests::double::{self, Script};
use accelbench_worker::ec2::Ec2;
use accelbench_worker::jobs::refresh_instances;
use accelbench_worker::prices::spot::SpotHistory;
use aws_sdk_pricing::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use chrono::{SecondsFormat, TimeDelta, Utc};

use super::{ask, last_refresh, of_tier, seeded};

type Asked = Arc<Mutex<Vec<HashMap<String, String>>>>;

async fn answer(
    State((script, asked)): State<(Script<(StatusCode, String)>, Asked)>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ANOTREAL/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/ec2/aws4_request"), "{authorization}");
    assert!(authorization.contains("SignedHeaders=content-type;host;x-amz-date"), "{authorization}");
    assert_eq!(form["Version"], "2016-11-15");
    asked.lock().unwrap().push(form);
    script.next().unwrap().into_response()
}

async fn double(answers: Vec<(StatusCode, String)>) -> (Ec2, Asked) {
    let asked = Asked::default();
    let router = Router::new().route("/", post(answer)).with_state((Script::of(answers), Arc::clone(&asked)));
    let endpoint = double::serve(router).await.unwrap();
    let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
    (Ec2::new(Some(credentials), Some(endpoint)).unwrap(), asked)
}

fn history(instance_type: &str, zone: &str, days_ago: i64, price: &str, next_token: &str) -> String {
    let since = (Utc::now() - TimeDelta::days(days_ago)).to_rfc3339_opts(SecondsFormat::Millis, true);
    format!(
        "<DescribeSpotPriceHistoryResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><spotPriceHistorySet>\
         <item><instanceType>{instance_type}</instanceType><productDescription>Linux/UNIX</productDescription>\
         <spotPrice>{price}</spotPrice><timestamp>{since}</timestamp><availabilityZone>{zone}</availabilityZone></item>\
         </spotPriceHistorySet>{next_token}</DescribeSpotPriceHistoryResponse>"
    )
}

fn refusal(status: StatusCode, code: &str) -> (StatusCode, String) {
    let text = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>the test says no</Message></Error></Errors></Response>"
    );
    (status, text)
}

#[tokio::test]
async fn spot_prices_are_means_over_time_and_zones_of_all_pages() {
    let database = seeded().await;
    let pool = &database.pool;
    let more = "<nextToken>the next page</nextToken>";
    let (ec2, asked) = double(vec![
        refusal(StatusCode::SERVICE_UNAVAILABLE, "RequestLimitExceeded"),
        (StatusCode::OK, history("g6e.xlarge", "us-east-1a", 30, "0.80", more)),
        (StatusCode::OK, history("g6e.xlarge", "us-east-1b", 30, "1.00", "<nextToken/>")),
    ])
    .await;
    ask(pool, &SpotHistory::new(ec2)).await;
    assert_eq!(last_refresh(pool).await, (1, 1, None));
    let price = of_tier(pool, "g6e.xlarge", "spot").await.pop().unwrap();
    assert!((price.price.price.value().unwrap().per_hour - 0.9).abs() < 1e-6, "{price:?}");
    assert!(price.price.source.starts_with("EC2 (DescribeSpotPriceHistory)"), "{price:?}");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "a busy EC2 is asked again, and for the next page");
    assert_eq!(
        (&*asked[2]["NextToken"], &*asked[2]["Action"]),
        ("the next page", "DescribeSpotPriceHistory")
    );
    assert_eq!(asked[0]["ProductDescription.1"], "Linux/UNIX");
    assert!(asked[0].contains_key("InstanceType.60"), "all of our instance types");
}

#[tokio::test]
async fn an_ec2_that_refuses_or_is_not_understood_changes_nothing() {
    let database = seeded().await;
    let pool = &database.pool;
    let known = of_tier(pool, "g6e.xlarge", "spot").await;
    for (answer, part) in [
        (refusal(StatusCode::FORBIDDEN, "UnauthorizedOperation"), "the test says no (UnauthorizedOperation)"),
        ((StatusCode::OK, "<html>".to_owned()), "cannot be read"),
        ((StatusCode::OK, "<DescribeSpotPriceHistoryResponse/>".to_owned()), "knows no spot price"),
    ] {
        let (ec2, _asked) = double(vec![answer]).await;
        ask(pool, &SpotHistory::new(ec2)).await;
        let error = last_refresh(pool).await.2.unwrap();
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(of_tier(pool, "g6e.xlarge", "spot").await, known);
}

#[tokio::test]
async fn sizes_that_aws_offers_since_are_added_once() {
    let database = seeded().await;
    let pool = &database.pool;
    let answer = include_str!("../../../worker/tests/data/instance-types.xml");
    let (ec2, asked) = double(vec![(StatusCode::OK, answer.to_owned())]).await;
    let known = instances::list(&mut pool.acquire().await.unwrap()).await.unwrap();
    for _time in 0..2 {
        refresh_instances::run(pool, &ec2, "us-east-1").await.unwrap();
    }
    let now = instances::list(&mut pool.acquire().await.unwrap()).await.unwrap();
    assert_eq!(now.len(), known.len() + 1);
    let new = now.iter().find(|it| it.instance_type.as_str() == "g6e.32xlarge").unwrap();
    assert_eq!((new.accelerator_count, new.vcpu), (Some(6), Some(128)));
    assert!(new.accelerator_bandwidth_gb_per_s.is_some(), "{new:?}");
    // What EC2 says of trn2's memory is wrong.
    let trn2 = now.iter().find(|it| it.instance_type.as_str() == "trn2.48xlarge").unwrap();
    assert_eq!(trn2.accelerator_memory_gib, Some(96.0));
    let families: Vec<String> = asked.lock().unwrap()[0].values().cloned().collect();
    assert!(families.contains(&"trn2.*".to_owned()) && !families.contains(&"local.*".to_owned()));
    // The release's facts, written again at the next start, take nothing away.
    accelbench_store::seed::seed(pool).await.unwrap();
    assert_eq!(instances::list(&mut pool.acquire().await.unwrap()).await.unwrap().len(), now.len());
}
