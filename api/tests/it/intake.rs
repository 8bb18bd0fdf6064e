//! What a load generator may fetch and deliver, and what is refused without losing anything.

use accelbench_core::load::{LoadPlan, LoadReport};
use accelbench_core::run::{RunId, Transition, Verdict};
use accelbench_store::intake;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::harness::{Answer, DATASET, TestApp, step};

impl TestApp {
    async fn as_loadgen(&self, method: Method, run_id: RunId, path: &str, body: String) -> Answer {
        let token = format!("Bearer {}", self.key.run_token(run_id));
        let path = format!("/api/v1/intake/{run_id}/{path}");
        self.json(method, &path, &[("authorization", &token)], body).await
    }

    async fn put(&self, report: &LoadReport) -> Answer {
        let path = format!("reports/{}", report.load_point_index);
        self.as_loadgen(Method::PUT, report.run_id, &path, serde_json::to_string(report).unwrap()).await
    }

    async fn stored(&self, run_id: RunId) -> Vec<LoadReport> {
        intake::reports(&mut self.database.pool.acquire().await.unwrap(), run_id).await.unwrap()
    }
}

#[tokio::test]
async fn a_plan_and_its_dataset_are_fetched_with_the_run_s_token() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let answer = app.as_loadgen(Method::GET, run_id, "plan", String::new()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let plan: LoadPlan = serde_json::from_value(answer.json()).unwrap();
    assert_eq!(plan, app.plan(run_id).await);
    let dataset = app.as_loadgen(Method::GET, run_id, "dataset", String::new()).await;
    assert_eq!(dataset.text.as_bytes(), DATASET);
    assert_eq!(dataset.header("content-type"), "application/octet-stream");
}

#[tokio::test]
async fn a_load_generator_that_comes_early_waits_for_its_plan() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let early = app.as_loadgen(Method::GET, run_id, "plan", String::new());
    let (answer, ()) = tokio::join!(early, app.bring_to_loading(run_id));
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let plan: LoadPlan = serde_json::from_value(answer.json()).unwrap();
    assert_eq!(plan, app.plan(run_id).await);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let app = TestApp::new().await;
    let (run_id, other) = (app.loading().await, app.submitted().await);
    for token in [String::new(), "Bearer".to_owned(), format!("Bearer {}", app.key.run_token(other))] {
        for (method, path) in [("GET", "plan"), ("GET", "dataset"), ("PUT", "reports/0"), ("POST", "failure")]
        {
            let path = format!("/api/v1/intake/{run_id}/{path}");
            let headers = [("authorization", token.as_str())];
            let answer = app.json(method.parse().unwrap(), &path, &headers, "{}".to_owned()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[tokio::test]
async fn a_report_is_acknowledged_once_and_again() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let reports = app.reports(run_id).await;
    assert_eq!(app.put(&reports[0]).await.status, StatusCode::CREATED);
    assert_eq!(app.put(&reports[0]).await.status, StatusCode::OK);
    assert_eq!(app.stored(run_id).await, reports[..1]);
    assert_eq!(app.plan(run_id).await.reported, [0]);

    let mut changed = reports[0].clone();
    changed.requests_per_s += 1.0;
    let conflict = app.put(&changed).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{}", conflict.text);
    assert!(conflict.text.contains("reports are never changed"));
    assert_eq!(app.stored(run_id).await, reports[..1]);
}

#[tokio::test]
async fn a_late_report_is_refused_and_a_late_duplicate_is_acknowledged() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let reports = app.reports(run_id).await;
    assert_eq!(app.put(&reports[0]).await.status, StatusCode::CREATED);
    let mut connection = app.database.pool.acquire().await.unwrap();
    step(&mut connection, run_id, Transition::End(Verdict::Cancelled), None).await;

    assert_eq!(app.put(&reports[0]).await.status, StatusCode::OK);
    let late = app.put(&reports[1]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.json()["detail"].as_str().unwrap().contains("takes no reports any more"));
    let plan = app.as_loadgen(Method::GET, run_id, "plan", String::new()).await;
    assert_eq!(plan.status, StatusCode::GONE);
    assert_eq!(app.stored(run_id).await, reports[..1]);
}

#[tokio::test]
async fn forged_and_truncated_reports_are_refused_with_the_reason() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let report = app.reports(run_id).await.remove(0);
    let text = |report: &LoadReport| serde_json::to_string(report).unwrap();
    let mut too_good = report.clone();
    too_good.ttft_ms.p99 = 0.1;
    let mut elsewhere = report.clone();
    elsewhere.run_id = RunId::new();
    let whole = text(&report);
    let put = async |path: &str, body: &str| app.as_loadgen(Method::PUT, run_id, path, body.to_owned()).await;
    for (path, body, expected) in [
        ("reports/0", text(&too_good), "ttft_ms cannot be right"),
        ("reports/0", text(&elsewhere), "for another run or load point"),
        ("reports/1", whole.clone(), "for another run or load point"),
        ("reports/0", whole[..whole.len() / 2].to_owned(), "EOF while parsing"),
        ("reports/0", whole.replace("\"window_s\":60.0,", ""), "missing field `window_s`"),
        ("reports/0", whole.replace("0.1.0", "\\u0000"), "U+0000"),
    ] {
        let answer = put(path, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{expected}: {}", answer.text);
        assert!(answer.json()["detail"].as_str().unwrap().contains(expected), "{}", answer.text);
    }
    assert_eq!(app.stored(run_id).await, []);
    assert_eq!(put("reports/0", &whole).await.status, StatusCode::CREATED, "a good one is still taken");
}

#[tokio::test]
async fn progress_and_failure_are_noted_while_the_run_loads() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let progress = json!({
        "load_point_index": 0, "load_point_count": 2, "offered_load": {"concurrency": 1}, "stage": "measuring",
        "fraction": 0.5, "requests_completed": 10, "requests_failed": 0, "output_tokens_per_s": 40.0,
        "ttft_p50_ms": 9.0, "tpot_p50_ms": 21.5,
    });
    let post = async |path: &str, body: String| app.as_loadgen(Method::POST, run_id, path, body).await.status;
    assert_eq!(post("progress", progress.to_string()).await, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&format!("/api/v1/runs/{run_id}")).await.json()["progress"], progress);
    let page = app.get(&format!("/runs/{run_id}")).await;
    assert_eq!(page.texts(".figures dd"), ["40.0", "9.0 ms", "21.5 ms", "10", "0"]);
    assert_eq!(page.texts(".headline"), ["Load point 1 of 2, concurrency 1: measuring"]);

    let reason = json!({"reason": "the engine answers nothing"}).to_string();
    assert_eq!(post("failure", reason).await, StatusCode::NO_CONTENT);
    let mut connection = app.database.pool.acquire().await.unwrap();
    let failure = intake::failure(&mut connection, run_id).await.unwrap();
    assert_eq!(failure.as_deref(), Some("the engine answers nothing"));
    step(&mut connection, run_id, Transition::End(Verdict::Cancelled), None).await;
    assert_eq!(post("progress", progress.to_string()).await, StatusCode::GONE);
}
