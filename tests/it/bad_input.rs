//! Whatever is wrong with a request is said in words, as a problem, and loses nothing.

use accelbench_tests::installation::{Installation, request};
use serde_json::{Value, json};

#[tokio::test]
async fn each_bad_request_is_refused_with_what_is_wrong_and_what_to_do() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    installation
        .until("the simulator is offered", async || {
            Ok(installation.get("/api/v1/engines").await?["engines"].to_string().contains("simulator"))
        })
        .await
        .unwrap();
    for (path, value, status, part) in [
        ("/model", json!("meta-llama/Llama-3.1-8b"), 422, "did you mean `meta-llama/Llama-3.1-8B`"),
        ("/model", json!("a b"), 422, "is not a model id"),
        ("/instance_type", json!("p5.47xlarge"), 422, "did you mean"),
        ("/instance_type", json!("g5"), 422, "is not an instance type"),
        ("/workload/lengths/input_tokens", json!(0), 422, "input_tokens is 0"),
        ("/workload/lengths/output_tokens", json!(131_072), 422, "exceed the context"),
        ("/workload/dataset", json!("nothing"), 422, "there is no dataset `nothing`"),
        ("/load_points", json!([]), 422, "0 load points"),
        ("/hf_token", json!("two words"), 422, "Hugging Face token"),
        ("/tensor_parallel", json!(2), 422, "1 accelerators"),
        ("/concurrency", json!(7), 422, "unknown field"),
    ] {
        let mut bad = request("simulator");
        bad["hf_token"] = Value::Null;
        bad["tensor_parallel"] = json!(1);
        bad["workload"]["dataset"] = json!("standard");
        match bad.pointer_mut(path) {
            Some(place) => *place = value.clone(),
            None => bad[path.trim_start_matches('/')] = value.clone(),
        }
        let (found, problem) = installation.post("/api/v1/runs", &bad).await.unwrap();
        assert_eq!(found, status, "{path} = {value}: {problem}");
        assert!(problem.to_string().contains(part), "{path} = {value}: {problem}");
        assert!(!problem.to_string().contains("two words"), "a token is repeated: {problem}");
    }
    let (status, problem) = installation.post("/api/v1/runs", &request("warp")).await.unwrap();
    assert_eq!(status, 422);
    assert!(problem.to_string().contains("simulator"), "the engines on offer are not named: {problem}");
    assert_eq!(
        installation.get("/api/v1/runs").await.unwrap()["runs"],
        json!([]),
        "a refused run was written"
    );
}

#[tokio::test]
async fn malformed_bodies_unknown_addresses_and_forged_tokens_are_told_apart() {
    let installation = Installation::start().await.unwrap();
    // A refused upload may cost its connection: none is used twice.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let url = |path: &str| format!("{}{path}", installation.url);
    let run = "/api/v1/runs/0192f0c1-0000-7000-8000-000000000000";
    for (request, status) in [
        (http.post(url("/api/v1/runs")).header("content-type", "application/json").body("{\"model\": "), 400),
        (http.get(url("/api/v1/nothing")), 404),
        (http.get(url("/api/v1/runs/none")), 404),
        (http.get(url(run)), 404),
        (http.delete(url("/api/v1/runs")), 405),
        (http.get(url("/api/v1/runs?limit=x")), 400),
        (http.post(url("/api/v1/datasets?name=mine")).body("{\"prompt\": \"a\"}\n{oops"), 422),
        (http.post(url("/api/v1/datasets?name=mine")).body(vec![b'x'; 1024 * 1024 + 1]), 413),
        (http.get(url("/api/v1/intake/0192f0c1-0000-7000-8000-000000000000/plan")).bearer_auth("00"), 401),
        (http.post(url(&format!("{run}/cancel"))).header("sec-fetch-site", "cross-site"), 403),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{}", response.url());
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/problem+json", "{}", response.url());
        let problem: Value = response.json().await.unwrap();
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
}
