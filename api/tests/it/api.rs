//! What holds for every address: problems in words, limits, reference data and probes.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::harness::{DATASET, TestApp};

/// A run that there is not.
const NONE: &str = "01900000-0000-7000-8000-000000000000";

#[tokio::test]
async fn every_mistake_is_a_problem_with_its_status() {
    let app = TestApp::new().await;
    for (method, path, body, status, detail) in [
        ("GET", "/nothing", "", 404, "there is no page `/api/v1/nothing`"),
        ("DELETE", "/runs", "", 405, "/api/v1/runs does not take DELETE"),
        ("POST", "/runs", "{\"model\": ", 400, "EOF while parsing a value at line 1 column 10"),
        ("POST", "/runs", "[]", 422, "expected a map"),
        ("PUT", "/intake/{}/reports/x", "", 401, "not the token"),
        ("GET", "/models/%ff", "", 400, "UTF-8"),
        ("GET", "/runs?cursor=x", "", 400, "not a cursor"),
        ("GET", "/results?cursor=1_2", "", 400, "not a cursor"),
        ("GET", "/results?limit=0", "", 400, "limit is 0"),
        ("GET", "/imported-results/abc", "", 404, "there is no imported result `abc`"),
        ("GET", "/instances/p9.huge", "", 404, "there is no instance type `p9.huge`"),
        ("GET", "/runs/abc", "", 404, "`abc` is not a run id"),
        ("GET", "/runs/{}", "", 404, "there is no run"),
        ("GET", "/runs/{}/events", "", 404, "there is no run"),
        ("GET", "/runs/{}/results", "", 404, "there is no run"),
        ("GET", "/runs/{}/logs/kernel", "", 404, "there is no log `kernel`"),
        ("POST", "/runs/{}/cancel", "", 404, "there is no run"),
        ("POST", "/runs/{}/retry", "", 404, "there is no run"),
        ("GET", "/runs?phase=dancing", "", 400, "there is no phase `dancing`"),
        ("GET", "/runs?before=yesterday", "", 400, "before"),
        ("GET", "/runs?modle=x", "", 400, "unknown field `modle`"),
        ("GET", "/runs?model=%00", "", 400, "U+0000"),
        ("GET", "/results/abc", "", 404, "there is no result `abc`"),
        ("GET", "/results/{}", "", 404, "there is no result"),
        ("GET", "/results?origin=guessed", "", 400, "unknown variant `guessed`"),
        ("GET", "/catalog?concurrency=many", "", 400, "concurrency"),
        ("POST", "/models", "{\"model\": \"a/b\", \"layers\": 0}", 422, "layers must be above zero"),
        ("POST", "/datasets?name=Bad+Name", "{}", 400, "is no dataset name"),
        ("POST", "/datasets", "{}", 400, "missing field `name`"),
    ] {
        let path = format!("/api/v1{}", path.replace("{}", NONE));
        let answer = app.json(method.parse::<Method>().unwrap(), &path, &[], body.to_owned()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{method} {path}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{method} {path}: {problem}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let app = TestApp::new().await;
    let request = Request::post("/api/v1/runs").header("content-type", "text/plain").body(Body::from("{}"));
    let answer = app.send(request.unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(answer.json()["hint"].as_str().unwrap().contains("Content-Type: application/json"));
}

#[tokio::test]
async fn a_dataset_is_kept_once_and_offered_by_name() {
    let app = TestApp::new().await;
    let post = async |name: &str, body: &[u8]| {
        let path = format!("/api/v1/datasets?name={name}&submitted_by=ada");
        app.send(Request::post(path).body(Body::from(body.to_vec())).unwrap()).await
    };
    let mine = b"{\"prompt\": \"one\"}\n\n{\"prompt\": \"two\", \"output_tokens\": 7}\n";
    let first = post("mine", mine).await;
    assert_eq!((first.status, first.json()["prompt_count"].as_u64()), (StatusCode::CREATED, Some(2)));
    assert_eq!(post("mine", mine).await.status, StatusCode::OK);
    let renamed = post("other", DATASET).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (StatusCode::OK, &json!("standard")));

    let bad = post("bad", b"{\"prompt\": \"one\"}\n{\"prompt\": 2}\n").await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.json()["detail"].as_str().unwrap().contains("line 2: "), "{}", bad.text);
    let large = post("large", &vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    insta::assert_json_snapshot!(large.problem(), @r#"
    {
      "detail": "the dataset is larger than 1 MiB",
      "hint": "send fewer prompts, or let the operator raise --max-dataset-mib",
      "status": 413,
      "title": "Payload Too Large",
      "type": "about:blank"
    }
    "#);
    let names = app.get("/api/v1/datasets").await.json();
    assert_eq!(names["datasets"].as_array().unwrap().len(), 2, "{names}");
}

#[tokio::test]
async fn reference_data_and_status_are_listed() {
    let app = TestApp::new().await;
    let added = app.post("/api/v1/models", &json!({"model": "ada/engine-1b", "params_total_b": 1.0})).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert_eq!(added.json()["source"], "given through the API");
    let found = app.get("/api/v1/models?search=ENGINE").await.json();
    assert_eq!(found["models"].as_array().unwrap().len(), 1);
    let instances = app.get("/api/v1/instances").await.json();
    assert_eq!(instances["instances"].as_array().unwrap().len(), 3, "local and external are always there");
    let engines = app.get("/api/v1/engines").await;
    assert_eq!(engines.json(), json!({"engines": ["simulator"]}), "the commands are the operator's");
    let status = app.get("/api/v1/status").await.json();
    assert_eq!((&status["parked"], &status["runs_by_phase"]["loading"]), (&json!(0), &json!(0)));
    assert_eq!(status["runs_by_phase"].as_object().unwrap().len(), 7);
    assert_eq!(app.get("/api/v1/instances/g6e.xlarge").await.json()["accelerator_name"], "L40S");
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_the_process_is_still_healthy() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
    app.database.pool.close().await;
    assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let answer = app.get("/api/v1/runs").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    insta::assert_json_snapshot!(answer.problem(), @r#"
    {
      "detail": "the database does not answer now",
      "hint": "try again in a few seconds",
      "status": 503,
      "title": "Service Unavailable",
      "type": "about:blank"
    }
    "#);
    assert!(!answer.header("x-request-id").is_empty());
}
