//! Results over REST.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::TestApp;

fn rows(list: &Value) -> &Vec<Value> {
    list["results"].as_array().unwrap()
}

#[tokio::test]
async fn results_say_their_origin() {
    let app = TestApp::new().await;
    let run_id = app.succeeded().await;
    let of_run = app.get(&format!("/api/v1/runs/{run_id}/results")).await.json();
    let load = |row: &Value| row["offered_load"]["concurrency"].as_u64();
    assert_eq!(rows(&of_run).iter().map(load).collect::<Vec<_>>(), [Some(1), Some(4)]);

    for (path, found) in [
        ("results", 2),
        ("results?origin=measured", 0),
        ("results?concurrency=4&model_family=llama&accelerator_name=L40S&accelerator_kind=gpu", 1),
        ("results?min_params_b=7&max_params_b=9&instance_family=g6e&engine=simulator&submitted_by=ada", 2),
        ("results?min_params_b=70", 0),
        ("results?since=2999-01-01T00:00:00Z", 0),
        ("results?until=2999-01-01T00:00:00Z&quantization=", 2),
    ] {
        let list = app.get(&format!("/api/v1/{path}")).await.json();
        assert_eq!(rows(&list).len(), found, "{path}: {list}");
        assert!(rows(&list).iter().all(|row| row["provenance"]["origin"] == "simulated"));
    }
}

#[tokio::test]
async fn pages_of_results_follow_each_other() {
    let app = TestApp::new().await;
    app.succeeded().await;
    let first = app.get("/api/v1/results?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("/api/v1/results?limit=1&cursor={cursor}")).await.json();
    assert_eq!((rows(&first).len(), rows(&second).len()), (1, 1), "{second}");
    assert_ne!(rows(&first)[0]["id"], rows(&second)[0]["id"]);
}

#[tokio::test]
async fn a_result_is_superseded_by_a_later_one_like_it_and_stays() {
    let app = TestApp::new().await;
    let newest = async || {
        let list = app.get("/api/v1/results?concurrency=1").await.json();
        rows(&list)[0]["id"].as_str().unwrap().to_owned()
    };
    app.succeeded().await;
    let old = newest().await;
    app.succeeded().await;
    let new = newest().await;

    let supersede = async |old: &str, by: &str| {
        let path = format!("/api/v1/results/{old}/supersede");
        app.post(&path, &json!({"by": by, "reason": "wrong driver"})).await
    };
    let backwards = supersede(&new, &old).await;
    assert_eq!(backwards.status, StatusCode::CONFLICT, "{}", backwards.text);
    let nothing = supersede(&old, "01900000-0000-7000-8000-000000000000").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert_eq!(supersede(&old, &new).await.status, StatusCode::NO_CONTENT);
    assert_eq!(supersede(&old, &new).await.status, StatusCode::CONFLICT);

    assert_eq!(app.get(&format!("/api/v1/results/{old}")).await.json()["superseded_by"], json!(new));
    for (query, found) in [("concurrency=1", 1), ("concurrency=1&include_superseded=true", 2)] {
        assert_eq!(rows(&app.get(&format!("/api/v1/results?{query}")).await.json()).len(), found, "{query}");
    }
}

#[tokio::test]
async fn a_result_tells_its_costs_in_every_tier_and_why_there_are_none() {
    let app = TestApp::new().await;
    app.price("g6e.xlarge", 3.6).await;
    app.succeeded().await;
    let list = app.get("/api/v1/results?concurrency=1").await.json();
    let id = rows(&list)[0]["id"].as_str().unwrap();
    let result = app.get(&format!("/api/v1/results/{id}?discount=0.5")).await.json();
    assert_eq!(result["id"], rows(&list)[0]["id"]);
    let costs = result["costs"].as_array().unwrap();
    assert_eq!(costs.len(), 15);
    // Half of 3.6 an hour are 0.0005 a second, for 4 requests.
    assert_eq!(
        (&costs[0]["tier"], &costs[0]["costs"]["per_request"]["value"]),
        (&json!("on_demand"), &json!(0.000_125))
    );
    assert_eq!((&costs[0]["source"], &costs[0]["currency"]), (&json!("test"), &json!("USD")));
    assert_eq!((&costs[1]["tier"], &costs[1]["payment"]), (&json!("reserved_1_year"), &json!("no_upfront")));
    let reason = costs[1]["costs"]["per_request"]["absent"].as_str().unwrap();
    assert_eq!(reason, "no reserved-1-year price of g6e.xlarge in us-east-1 is known");
}
