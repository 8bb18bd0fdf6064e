//! The pages as a browser gets them: read with selectors, with and without what a person entered wrong.

use accelbench_core::run::EventKind;
use accelbench_store::logs::{self, LogSource};
use accelbench_store::{events, intake};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::harness::{Answer, TestApp, request};

const FORM: [(&str, &str); 8] = [
    ("nonce", "n-1"),
    ("model", "meta-llama/Llama-3.1-8B"),
    ("engine", "simulator"),
    ("concurrency", "1, 4"),
    ("dataset", "standard"),
    ("min_duration_s", "60"),
    ("min_requests", "200"),
    ("tensor_parallel", "1"),
];

fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let kept = FORM.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).collect()
}

fn urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl TestApp {
    async fn partial(&self, path: &str) -> Answer {
        let request = Request::get(path).header("hx-request", "true").header("hx-request-type", "partial");
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn the_form_starts_a_run_and_leads_to_its_page() {
    let app = TestApp::new().await;
    let answer = app.form("/runs", &FORM).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let address = answer.header("location").to_owned();
    let again = app.form("/runs", &FORM).await;
    assert_eq!(again.header("location"), address, "a second click starts no second run");
    let other = app.form("/runs", &with(&[("concurrency", "8")])).await;
    assert_ne!(other.header("location"), address);

    let page = app.get(&address).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(page.texts("h1"), ["meta-llama/Llama-3.1-8B on g6e.xlarge"]);
    assert_eq!(page.texts("#live [role=status]"), ["queued"]);
    assert_eq!(page.texts("#live .actions button"), ["Cancel"]);
    let run = app.get(&format!("/api/v1{address}")).await.json();
    assert_eq!(run["spec"]["load_points"], json!([{"concurrency": 1}, {"concurrency": 4}]));
}

#[tokio::test]
async fn a_refused_form_comes_back_with_its_entries_and_the_complaint() {
    let app = TestApp::new().await;
    let secret = ("hf_token", "hf_verysecret");
    for (change, field, complaint) in [
        (("model", "meta-llama/Llama-3.1-8b-it"), "model", "there is no model `meta-llama/Llama-3.1-8b-it`"),
        (("instance_type", "g6e.huge"), "instance_type", "there is no instance type `g6e.huge`"),
        (("concurrency", "1, 1"), "concurrency", "concurrency 1 is given twice"),
        (("input_tokens", "128"), "output_tokens", "output_tokens: give it together"),
        (("tensor_parallel", "many"), "tensor_parallel", "tensor_parallel: `many` is not a whole number"),
        (("endpoint", "ftp://host/"), "endpoint", "must be an http:// or https:// URL"),
    ] {
        let page = app.form("/runs", &with(&[change, secret])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
        let said = page.texts(&format!("#{field}-complaint"));
        assert!(said.len() == 1 && said[0].contains(complaint), "{field}: {said:?}");
        assert_eq!(page.texts("[role=alert]").len(), 1);
        assert!(page.text.contains(&format!("value=\"{}\"", change.1)), "the entry of {} stays", change.0);
        assert!(!page.text.contains("verysecret"));
    }
    assert_eq!(app.get("/api/v1/runs").await.json()["runs"], json!([]));
}

#[tokio::test]
async fn the_list_filters_by_its_address_and_refreshes_in_part() {
    let app = TestApp::new().await;
    app.succeeded().await;
    let queued = app.submitted().await;
    let page = app.get("/runs").await;
    assert_eq!(page.header("vary"), "HX-Request, HX-Request-Type");
    assert_eq!(page.texts("#runs tbody .chip"), ["queued", "succeeded"]);
    assert_eq!(page.texts(".chips [aria-current]"), ["all"]);

    let part = app.partial("/runs?phase=queued&model=").await;
    assert_eq!(part.texts("tbody tr").len(), 1);
    assert!(part.text.contains(&queued.to_string()) && !part.text.contains("<html"));
    assert_eq!(app.get("/runs?submitted_by=eve").await.texts("#runs"), ["No run here yet. Start one."]);
}

#[tokio::test]
async fn simulated_results_are_marked_wherever_they_stand() {
    let app = TestApp::new().await;
    let run_id = app.succeeded().await;
    let page = app.get(&format!("/runs/{run_id}")).await;
    assert_eq!(page.texts(".simulation .badge"), ["SIMULATED"]);
    assert_eq!(page.texts("table.results tbody tr").len(), 2);
    assert_eq!(page.texts("table.results tbody .badge.simulated"), ["SIMULATED", "SIMULATED"]);
    assert_eq!(
        page.texts("table.results tbody tr:first-child td.strong"),
        ["824 ±8.40", "170 ms", "34.0 ms"]
    );
    assert_eq!(page.texts(".checks li"), ["pass 0 of 240 requests failed", "pass 0 of 240 requests failed"]);
    assert_eq!(page.texts("#live .actions button"), ["Run again"]);
    assert!(!page.text.contains("hx-sse:connect"), "a finished run has nothing to tell");
    assert_eq!(app.get("/runs").await.texts("#runs .badge.simulated"), ["SIMULATED"]);
}

#[tokio::test]
async fn a_failed_run_says_why_and_how_far_it_came() {
    let app = TestApp::new().await;
    let run_id = app.failed("the engine ended with exit code 137").await;
    let page = app.get(&format!("/runs/{run_id}")).await;
    assert_eq!(page.texts(".headline"), ["the engine ended with exit code 137"]);
    let steps = page.texts(".timeline > li strong");
    assert_eq!(steps, ["queued", "deploying", "awaiting ready", "loading", "tearing down", "finished"]);
    assert_eq!(page.texts("table.results").len(), 0);
}

#[tokio::test]
async fn the_live_stream_sends_the_page_s_own_part_and_ends() {
    let app = TestApp::new().await;
    let run_id = app.succeeded().await;
    let stream = app.get(&format!("/runs/{run_id}/live")).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let (part, end) = stream.text.split_once("\n\n").unwrap();
    let part: Vec<&str> = part.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let page = app.get(&format!("/runs/{run_id}")).await;
    assert!(part.contains(&"<h2>Timeline</h2>"), "{part:?}");
    assert!(part.iter().all(|line| page.text.contains(line)));
    assert_eq!(end.trim_end(), "event: done\ndata: finished");
}

#[tokio::test]
async fn a_run_that_is_measured_draws_how_it_goes() {
    let app = TestApp::new().await;
    let run_id = app.loading().await;
    let address = format!("/runs/{run_id}");
    assert_eq!(app.get(&address).await.texts("figure.chart").len(), 0, "there is nothing yet");
    let mut connection = app.database.pool.acquire().await.unwrap();
    for second in 1..=3_u32 {
        let progress = json!({
            "load_point_index": 0, "load_point_count": 2, "offered_load": {"concurrency": 1}, "stage": "measuring",
            "fraction": 0.1, "requests_completed": second, "requests_failed": 0, "ttft_p50_ms": 20.0 + f64::from(second),
            "output_tokens_per_s": 100.0,
        });
        let progress = serde_json::from_value(progress).unwrap();
        assert!(intake::set_progress(&mut connection, run_id, &progress).await.unwrap());
    }
    let page = app.get(&address).await;
    let titles = page.texts("#live figure.chart figcaption");
    assert!(titles.len() == 2 && titles[0] == "Output tokens per second", "{titles:?}");
    assert_eq!(page.texts("#live figure.chart:first-child .s0 path.dot title").len(), 3, "{}", page.text);
    let other = TestApp::new().await;
    let run_id = other.succeeded().await;
    let page = other.get(&format!("/runs/{run_id}")).await;
    assert_eq!(page.texts("#live figure.chart").len(), 3, "a finished run draws its reports");
}

#[tokio::test]
async fn buttons_work_as_plain_forms() {
    let app = TestApp::new().await;
    let run_id = app.submitted().await;
    let address = format!("/runs/{run_id}");
    let cancelled = app.form(&format!("{address}/cancel"), &[]).await;
    assert_eq!((cancelled.status, cancelled.header("location")), (StatusCode::SEE_OTHER, &*address));
    assert_eq!(app.get(&address).await.texts("[role=status]"), ["cancelling"]);
    let again = app.form(&format!("{address}/retry"), &[]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    let refused = app.form(&format!("{address}/requeue"), &[]).await;
    assert_eq!((refused.status, refused.texts("h1")), (StatusCode::CONFLICT, vec!["Conflict".to_owned()]));
}

#[tokio::test]
async fn what_people_and_engines_write_is_text_and_nothing_else() {
    let app = TestApp::new().await;
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let mut body = request();
    body["submitted_by"] = json!(hostile);
    let run_id = app.post("/api/v1/runs", &body).await.json()["id"].as_str().unwrap().parse().unwrap();
    let mut connection = app.database.pool.acquire().await.unwrap();
    logs::put(&mut connection, run_id, LogSource::Engine, hostile, false).await.unwrap();
    events::append(&mut connection, run_id, EventKind::Detail, hostile).await.unwrap();

    let mut pages = vec![
        app.get("/runs").await,
        app.get(&format!("/runs/{run_id}")).await,
        app.get(&format!("/runs?model={}", urlencoded(hostile))).await,
        app.get(&format!("/{}", urlencoded(hostile))).await,
    ];
    let fields = [
        "nonce",
        "model",
        "submitted_by",
        "instance_type",
        "engine",
        "endpoint",
        "dataset",
        "slo",
        "revision",
    ]
    .map(|field| (field, hostile));
    for path in ["/runs", "/runs/check"] {
        pages.push(app.form(path, &fields).await);
        pages.push(app.form(path, &[("model", hostile), ("agreed", hostile), ("seen_run", hostile)]).await);
        pages.push(app.form_with_file(path, &FORM, (&hostile.replace('"', ""), hostile)).await);
    }
    for path in [
        "/runs/new?model=",
        "/catalog?search=",
        "/published?hide=",
        "/compare?r=",
        "/models?search=",
        "/?model=",
    ] {
        pages.push(app.get(&format!("{path}{}", urlencoded(hostile))).await);
    }
    for page in pages {
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(!page.text.contains("<script>alert") && !page.text.contains("<img src=x"), "{}", page.text);
    }
    assert_eq!(app.get(&format!("/runs/{run_id}")).await.texts("pre.log"), [hostile]);
}

#[tokio::test]
async fn mistakes_are_pages_for_people() {
    let app = TestApp::new().await;
    for (path, status, said) in [
        ("/nothing", StatusCode::NOT_FOUND, "there is no page `/nothing`"),
        ("/runs/abc", StatusCode::NOT_FOUND, "`abc` is not a run id"),
        ("/static/none.js", StatusCode::NOT_FOUND, "there is no file `none.js`"),
        ("/runs?before=x", StatusCode::BAD_REQUEST, "before"),
    ] {
        let page = app.get(path).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (status, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(page.texts("[role=alert]")[0].contains(said), "{path}");
    }
}

#[tokio::test]
async fn files_are_kept_by_browsers_as_long_as_their_content_is_the_same() {
    let app = TestApp::new().await;
    let page = app.get("/").await;
    let addresses: Vec<&str> = page.text.split('"').filter(|text| text.starts_with("/static/")).collect();
    assert_eq!(addresses.len(), 4);
    for address in addresses {
        let file = app.get(address).await;
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
        let (plain, _) = address.split_once('?').unwrap();
        assert_eq!(app.get(plain).await.header("cache-control"), "no-cache");
    }
}
