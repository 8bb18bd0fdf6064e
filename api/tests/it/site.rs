//! The pages around the runs: the decision, catalog, comparison, models, instance types, results, and how they stand
//! when nothing is known yet.

use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Price, PricingTier};
use accelbench_store::{platforms, prices};
use axum::http::StatusCode;
use chrono::Utc;
use serde_json::{Value, json};

use crate::harness::TestApp;

const MODEL: &str = "meta-llama/Llama-3.1-8B";

impl TestApp {
    async fn priced(&self, per_hour: f64) {
        let price = Price {
            instance_type: "g6e.xlarge".parse().unwrap(),
            region: "us-east-1".to_owned(),
            tier: PricingTier::OnDemand,
            currency: "USD".to_owned(),
            price: Observed::Value(HourlyPrice { per_hour, upfront: 0.0 }),
            as_of: Utc::now(),
            source: "test".to_owned(),
        };
        prices::record(&mut self.database.pool.acquire().await.unwrap(), &[price]).await.unwrap();
    }

    /// Takes over what another tool measured at a concurrency, and answers its id.
    async fn published(&self, concurrency: u32, output_throughput: f64) -> String {
        let file = json!({
            "date": "20261124-100000", "backend": "vllm", "model_id": "any", "num_prompts": 300,
            "max_concurrency": concurrency, "duration": 60.0, "completed": 300, "failed": 0,
            "total_input_tokens": 150_000, "total_output_tokens": 30_000, "request_throughput": output_throughput / 100.0,
            "output_throughput": output_throughput, "total_token_throughput": 6.0 * output_throughput,
            "mean_ttft_ms": 80.0, "median_ttft_ms": 70.0, "p95_ttft_ms": 40.0 * f64::from(concurrency),
        });
        let request = json!({
            "file": file, "source": {"name": "a paper"}, "model": MODEL, "imported_by": "ada",
            "hardware": {"instance_type": "g6e.xlarge", "accelerator_name": "L40S", "accelerators_used": 1},
            "engine": {"name": "vLLM", "version": "0.11", "precision": "bf16", "tensor_parallel": 1},
        });
        let answer = self.post("/api/v1/imported-results", &request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let of_concurrency =
            self.get(&format!("/api/v1/imported-results?concurrency={concurrency}")).await.json();
        of_concurrency["imported_results"][0]["imported_result_id"].as_str().unwrap().to_owned()
    }

    async fn result_ids(&self) -> Vec<String> {
        let results = self.get("/api/v1/results?origin=simulated").await.json();
        let id = |result: &Value| result["id"].as_str().unwrap().to_owned();
        results["results"].as_array().unwrap().iter().map(id).collect()
    }
}

#[tokio::test]
async fn every_page_answers_when_nothing_is_known() {
    let app = TestApp::new().await;
    for path in [
        "/",
        "/catalog",
        "/published",
        "/compare",
        "/runs",
        "/runs/new",
        "/models",
        "/instances",
        "/methodology",
        "/status",
    ] {
        let page = app.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert_eq!(page.texts("h1").len(), 1, "{path}");
        assert!(page.texts("nav [aria-current=page]").len() == 1, "{path}");
    }
    for (path, hint) in [
        ("/models/meta-llama/Llama-3.1-8b", "did you mean `meta-llama/Llama-3.1-8B`"),
        ("/instances/g6e.xlrge", "did you mean `g6e.xlarge`"),
        ("/results/none", "no result"),
        ("/published/none", "no published result"),
        ("/compare?r=none", "choose load points in the catalog"),
    ] {
        let page = app.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.texts("[role=alert]")[0].contains(hint), "{path}: {:?}", page.texts("[role=alert]"));
    }
}

#[tokio::test]
async fn where_nothing_was_measured_the_decision_rests_on_what_was_published_and_says_so() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.published(4, 200.0).await;
    app.published(16, 600.0).await;
    let ask = format!("/?model={MODEL}&input_tokens=500&output_tokens=100&ttft_ms=200&requests_per_s=3");
    let page = app.get(&ask).await;
    assert_eq!(page.texts("#answer .verdict .headline a"), ["g6e.xlarge"], "{}", page.text);
    assert!(page.texts(".published-note")[0].contains("others published"));
    // 200 ms lie between 160 ms at 2 requests/s and 640 ms at 6: two replicas bear 3 a second.
    assert_eq!(page.texts("#answer .figures dd")[0], "$2,920");
    let impossible = app.get(&format!("{ask}&e2e_ms=1000")).await;
    assert!(impossible.texts("#answer .headline")[0].contains("does not suffice"));
    let refused = app.get("/?model=a/b&ttft_ms=fast").await;
    assert!(refused.texts("#answer [role=alert]")[0].contains("`fast` is no number above 0"));
}

#[tokio::test]
async fn a_result_has_every_number_its_checks_its_costs_and_its_command() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.succeeded().await;
    let ids = app.result_ids().await;
    let page = app.get(&format!("/results/{}", ids[0])).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(page.texts(".simulation .badge"), ["SIMULATED"]);
    assert_eq!(page.texts("[aria-label=Latencies] tbody th"), ["TTFT", "ITL", "TPOT", "E2E"]);
    assert_eq!(page.texts(".checks li").len(), 1);
    assert_eq!(page.texts("[aria-label='Costs by pricing tier'] tbody td")[0], "$2.00");
    assert_eq!(page.texts("figure.chart").len(), 3);
    let command = &page.texts("pre.command")[0];
    assert!(command.starts_with("accelbench run \\ --model meta-llama/Llama-3.1-8B"), "{command}");
    assert!(command.contains("--concurrency 1,4"), "{command}");
}

#[tokio::test]
async fn a_superseded_result_leads_to_the_one_that_took_its_place() {
    let app = TestApp::new().await;
    app.succeeded().await;
    let old = app.result_ids().await.remove(0);
    app.succeeded().await;
    let new = app.result_ids().await.into_iter().find(|id| *id != old).unwrap();
    let body = json!({"by": new, "reason": "measured anew"});
    let answer = app.post(&format!("/api/v1/results/{old}/supersede"), &body).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let page = app.get(&format!("/results/{old}")).await;
    assert!(page.text.contains(&format!("href=\"/results/{new}\"")));
    assert!(page.texts("[role=note]")[0].contains("superseded"));
}

#[tokio::test]
async fn only_like_is_ranked_with_like() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.succeeded().await;
    let simulated = app.result_ids().await;
    let published = app.published(4, 200.0).await;
    let query = format!("r={}&r={}&r={published}&requests_per_s=10", simulated[0], simulated[1]);
    let page = app.get(&format!("/compare?{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(page.texts("table.compare thead .chip"), ["not ranked"]);
    let throughput: Vec<String> = page.texts("table.compare tr:has(th[scope=row]) td .best");
    assert!(!throughput.is_empty(), "two of one workload are ranked");
    let csv = app.get(&format!("/compare/comparison.csv?{query}")).await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].contains("per_million_output_tokens") && lines[3].contains("imported"));
    let document = app.get(&format!("/compare/comparison.json?{query}")).await.json();
    assert_eq!(document["load_points"][0]["costs"]["instance_per_hour"], json!({"value": 2.0}));
    let markdown = app.get(&format!("/compare/comparison.md?{query}")).await;
    assert!(markdown.text.contains("|output_tokens_per_s|"), "{}", markdown.text);
    assert_eq!(app.get(&format!("/compare/comparison.doc?{query}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_catalog_filters_sorts_and_keeps_origins_apart() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.succeeded().await;
    app.published(4, 200.0).await;
    app.published(16, 600.0).await;
    assert_eq!(
        app.get("/catalog").await.texts("#list tbody tr").len(),
        0,
        "simulated ones only when asked for"
    );
    let simulated = app.get("/catalog?origin=simulated&sort=load&order=descending").await;
    assert_eq!(simulated.texts("#list tbody td:nth-child(5)"), ["4", "1"]);
    let published = app.get("/published").await;
    // 2.0 / 600 / 3600 * 10^6: the cheapest comes first.
    assert_eq!(published.texts("#list tbody td:nth-child(6)"), ["$0.93", "$2.78"]);
    assert_eq!(published.texts("th[aria-sort=ascending]"), ["1M output"]);
    let limited = app.get("/published?slo=ttft_p95_ms%3C%3D200").await;
    assert_eq!(limited.texts("#list tbody tr").len(), 1);
    let refused = app.get("/published?slo=fast").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_model_shows_where_it_fits_and_an_instance_type_what_it_costs() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.published(4, 200.0).await;
    let model = app.get(&format!("/models/{MODEL}")).await;
    assert_eq!(model.texts("[aria-label=Fit] tbody .chip"), ["TP 1"], "{}", model.text);
    assert_eq!(model.texts("[aria-label=Readings] tbody tr").len(), 1);
    let instance = app.get("/instances/g6e.xlarge").await;
    assert_eq!(instance.texts("[aria-label=Prices] tbody td.strong"), ["$2.00"]);
    assert!(instance.text.contains("1 × L40S"));
}

#[tokio::test]
async fn a_comparison_is_kept_as_one_file_that_needs_no_other() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.succeeded().await;
    let ids = app.result_ids().await;
    let file = app.get(&format!("/compare/comparison.html?r={}&r={}", ids[0], ids[1])).await;
    assert_eq!(file.status, StatusCode::OK, "{}", file.text);
    assert!(file.header("content-disposition").contains("comparison.html"));
    assert_eq!(file.texts("table.compare thead th").len(), 3);
    assert!(file.texts("figure.chart svg").len() > 1 && file.texts("style").len() == 1);
    for elsewhere in ["href=", "src=", "<script", "url("] {
        assert!(!file.text.contains(elsewhere), "{elsewhere}");
    }
    assert!(file.text.contains(&ids[0]), "it says which results it is of");
}

#[tokio::test]
async fn columns_are_chosen_in_the_address() {
    let app = TestApp::new().await;
    app.priced(2.0).await;
    app.published(4, 200.0).await;
    let all = app.get("/published").await.texts("#list thead th").len();
    let page = app.get("/published?hide=itl_p50_ms,date,model").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(page.texts("#list thead th").len(), all - 2, "a row is always named");
    assert_eq!(page.texts("#list tbody tr:first-child td").len(), all - 2);
    assert_eq!(page.texts(".choose .chips a:not([aria-current])"), ["ITL p50", "date"]);
    assert_eq!(page.values("form.filter [name=hide]"), ["itl_p50_ms,date,model"], "a filter keeps them");
}

#[tokio::test]
async fn a_cluster_is_offered_where_there_is_one_and_its_money_is_named() {
    let app = TestApp::new().await;
    app.priced(3.0).await;
    let address =
        "/runs/new?engine=kubernetes:vllm&instance_type=g6e.xlarge&timeout_min=120&hf_token=hf_secret";
    assert!(app.get("/runs/new").await.text.contains("No worker was given a cluster"));
    platforms::offer_kubernetes(&mut app.database.pool.acquire().await.unwrap()).await.unwrap();
    let page = app.get(address).await;
    assert!(page.text.contains("value=\"kubernetes:vllm\" selected"), "{}", page.text);
    assert!(
        page.texts("#panel")[0].contains("$3.00 an hour on-demand, at most $6.00"),
        "{:?}",
        page.texts("#panel")
    );
    assert_eq!(page.texts("#panel button"), ["Start the run, at most $6.00", "Check first"]);
    assert!(!page.text.contains("hf_secret"), "an address carries no token");
}
