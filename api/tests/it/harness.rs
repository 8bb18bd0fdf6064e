//! A server over a database with three models, one AWS instance type, one engine and one small dataset.

use std::time::Duration;

use accelbench_api::{ApiOptions, App, router};
use accelbench_core::engine::{EngineIdentity, EngineKind, EngineName};
use accelbench_core::load::{LoadPlan, LoadReport, examples};
use accelbench_core::observed::Observed;
use accelbench_core::price::{DEFAULT_REGION, HourlyPrice, Price, PricingTier};
use accelbench_core::result::{Origin, Provenance};
use accelbench_core::run::{ReadyEndpoint, Run, RunId, Transition, Verdict};
use accelbench_hub::HubOptions;
use accelbench_store::lease::{self, Advance, Lease};
use accelbench_store::notifications::RunNotifications;
use accelbench_store::secrets::SecretKey;
use accelbench_store::{PgConnection, datasets, engines, instances, intake, models, prices, results, runs};
use accelbench_tests::database::TestDatabase;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{TimeDelta, Utc};
use scraper::{ElementRef, Html, Selector};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;

pub(crate) const DATASET: &[u8] =
    b"{\"prompt\": \"Tell me of the sea.\"}\n{\"prompt\": \"Tell me of the hills.\"}\n";
const MODEL: &str = "meta-llama/Llama-3.1-8B";

pub(crate) struct TestApp {
    pub(crate) database: TestDatabase,
    pub(crate) key: SecretKey,
    pub(crate) app: App,
    router: Router,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A problem without the id of its request, which differs each time.
    pub(crate) fn problem(&self) -> Value {
        let mut problem = self.json();
        let id = problem.as_object_mut().unwrap().remove("request_id").unwrap();
        assert_eq!(id, self.header("x-request-id"));
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The texts of the elements that the selector finds, white space made single.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let page = Html::parse_document(&self.text);
        let words = |element: ElementRef<'_>| {
            let text: String = element.text().collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        page.select(&Selector::parse(selector).unwrap()).map(words).collect()
    }
}

impl Answer {
    /// The values of the fields that the selector finds.
    pub(crate) fn values(&self, selector: &str) -> Vec<String> {
        let page = Html::parse_document(&self.text);
        let selector = Selector::parse(selector).unwrap();
        let fields = page.select(&selector).map(|field| field.attr("value"));
        fields.flatten().map(str::to_owned).collect()
    }
}

impl TestApp {
    /// A server that asks no Hub.
    pub(crate) async fn new() -> Self {
        Self::start(None, |_usual| {}).await
    }

    /// A server that asks this Hub.
    pub(crate) async fn with_hub(url: &Url) -> Self {
        Self::start(Some(url), |_usual| {}).await
    }

    /// A server that is configured otherwise.
    pub(crate) async fn with_options(change: impl FnOnce(&mut ApiOptions)) -> Self {
        Self::start(None, change).await
    }

    async fn start(hub: Option<&Url>, change: impl FnOnce(&mut ApiOptions)) -> Self {
        let database = TestDatabase::create().await.unwrap();
        let mut connection = database.pool.acquire().await.unwrap();
        reference_data(&mut connection).await;
        drop(connection);
        let key = SecretKey::generate();
        let mut options = ApiOptions {
            bind: "127.0.0.1:0".parse().unwrap(),
            max_dataset_mib: 1,
            max_body_kib: 2048,
            max_requests_per_s: 0,
            trusted_proxies: 0,
            region: "us-east-1".to_owned(),
            hub: hub.cloned().map_or_else(HubOptions::offline, HubOptions::asking),
        };
        change(&mut options);
        let notifications = RunNotifications::listen(database.pool.clone());
        let app = App::new(database.pool.clone(), key.clone(), notifications, options);
        Self { database, key, app: app.clone(), router: router(app) }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, &[], body.to_string()).await
    }

    pub(crate) async fn json(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Submits a form of our pages as a browser does.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.key.form_token(Utc::now());
        self.form_with_token(path, &token, fields).await
    }

    pub(crate) async fn form_with_token(&self, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        encoded.append_pair("form_token", token).extend_pairs(fields);
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(encoded.finish()));
        self.send(request.unwrap()).await
    }

    /// Submits a form with a file in its field `dataset_file`.
    pub(crate) async fn form_with_file(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        (name, content): (&str, &str),
    ) -> Answer {
        let token = self.key.form_token(Utc::now());
        let part = |head: &str, body: &str| {
            format!("--limit\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
        };
        let fields = fields.iter().copied().chain([("form_token", &*token)]);
        let mut body: String = fields.map(|(name, value)| part(&format!("name=\"{name}\""), value)).collect();
        body += &part(&format!("name=\"dataset_file\"; filename=\"{name}\""), content);
        body += "--limit--\r\n";
        let request = Request::post(path)
            .header("content-type", "multipart/form-data; boundary=limit")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body));
        self.send(request.unwrap()).await
    }

    /// Makes an on-demand price in the usual region known.
    pub(crate) async fn price(&self, instance_type: &str, per_hour: f64) {
        let price = Price {
            instance_type: instance_type.parse().unwrap(),
            region: DEFAULT_REGION.to_owned(),
            tier: PricingTier::OnDemand,
            currency: "USD".to_owned(),
            price: Observed::Value(HourlyPrice { per_hour, upfront: 0.0 }),
            as_of: Utc::now() - TimeDelta::days(1),
            source: "test".to_owned(),
        };
        prices::record(&mut self.database.pool.acquire().await.unwrap(), &[price]).await.unwrap();
    }

    pub(crate) async fn submitted(&self) -> RunId {
        let answer = self.post("/api/v1/runs", &request()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().parse().unwrap()
    }

    /// A submitted run, brought to the phase in which its load generator works.
    pub(crate) async fn loading(&self) -> RunId {
        let run_id = self.submitted().await;
        self.bring_to_loading(run_id).await;
        run_id
    }

    /// Brings a submitted run to the phase in which its load generator works.
    pub(crate) async fn bring_to_loading(&self, run_id: RunId) {
        let mut connection = self.database.pool.begin().await.unwrap();
        let (lease, run) = take(&mut connection, run_id).await;
        lease::claim(&mut connection, lease, &run, "claimed").await.unwrap();
        step(&mut connection, run_id, Transition::Deployed, None).await;
        step(&mut connection, run_id, Transition::Ready, Some(&endpoint())).await;
        connection.commit().await.unwrap();
    }

    /// A run that succeeded with simulated results for both of its load points.
    pub(crate) async fn succeeded(&self) -> RunId {
        let run_id = self.loading().await;
        let mut connection = self.database.pool.begin().await.unwrap();
        for report in self.reports(run_id).await {
            intake::put_report(&mut connection, run_id, &report).await.unwrap();
        }
        step(&mut connection, run_id, Transition::Loaded, None).await;
        let (lease, run) = take(&mut connection, run_id).await;
        let provenance = provenance(&mut connection, &run).await;
        results::record(&mut connection, lease, &run, &provenance).await.unwrap();
        step(&mut connection, run_id, Transition::TornDown, None).await;
        connection.commit().await.unwrap();
        run_id
    }

    /// A run that failed while its load generator worked.
    pub(crate) async fn failed(&self, reason: &str) -> RunId {
        let run_id = self.loading().await;
        let mut connection = self.database.pool.begin().await.unwrap();
        step(&mut connection, run_id, Transition::End(Verdict::failed(reason)), None).await;
        step(&mut connection, run_id, Transition::TornDown, None).await;
        connection.commit().await.unwrap();
        run_id
    }

    pub(crate) async fn plan(&self, run_id: RunId) -> LoadPlan {
        let mut connection = self.database.pool.acquire().await.unwrap();
        intake::plan(&mut connection, run_id).await.unwrap().now().unwrap()
    }

    /// What a load generator of the run would report.
    pub(crate) async fn reports(&self, run_id: RunId) -> Vec<LoadReport> {
        let plan = self.plan(run_id).await;
        let reports = (0..plan.load_points.len() as u32).map(|index| examples::report(&plan, index));
        // As they come out of JSON, which may differ in the last bit.
        reports.map(|report| serde_json::from_str(&json!(report).to_string()).unwrap()).collect()
    }
}

/// A request that passes every check, with two load points.
pub(crate) fn request() -> Value {
    json!({
        "model": MODEL,
        "instance_type": "g6e.xlarge",
        "platform": {"kind": "local", "engine": "simulator"},
        "load_points": [{"concurrency": 1}, {"concurrency": 4}],
        "submitted_by": "ada",
    })
}

pub(crate) async fn take(connection: &mut PgConnection, run_id: RunId) -> (Lease, Run) {
    lease::take(connection, run_id, "test", Duration::from_mins(1)).await.unwrap().unwrap()
}

pub(crate) async fn step(
    connection: &mut PgConnection,
    run_id: RunId,
    transition: Transition,
    endpoint: Option<&ReadyEndpoint>,
) {
    let (lease, run) = take(connection, run_id).await;
    let message = format!("{transition:?}");
    let step = Advance { run: &run, transition, message: &message, endpoint };
    lease::advance(connection, lease, step).await.unwrap();
}

fn endpoint() -> ReadyEndpoint {
    ReadyEndpoint {
        base_url: "http://127.0.0.1:8000/".parse().unwrap(),
        served_model_name: MODEL.to_owned(),
        engine: EngineIdentity {
            kind: EngineKind::Simulator,
            version: Observed::Value("0.1.0".to_owned()),
            image_digest: Observed::absent("no container"),
        },
        engine_arguments: vec!["--port".to_owned(), "8000".to_owned()],
        machine: None,
        accelerator_metrics: Vec::new(),
    }
}

async fn provenance(connection: &mut PgConnection, run: &Run) -> Provenance {
    let dataset_sha256 = runs::dataset_sha256(connection, run.id).await.unwrap();
    let absent = || Observed::absent("nothing was really deployed");
    Provenance {
        origin: Origin::Simulated,
        platform: "local".to_owned(),
        model: run.spec.model.clone(),
        revision: Observed::absent("not asked for"),
        instance_type: run.spec.instance_type.clone(),
        engine: EngineKind::Simulator,
        engine_version: Observed::Value("0.1.0".to_owned()),
        engine_image_digest: absent(),
        engine_arguments: Observed::Value(endpoint().engine_arguments),
        quantization: Observed::absent("as the model comes"),
        tensor_parallel: 1,
        accelerators_used: Observed::Value(1),
        ami: absent(),
        driver_version: absent(),
        availability_zone: absent(),
        workload_sha256: run.spec.workload.fingerprint(&dataset_sha256),
        dataset_sha256,
        loadgen_version: "0.1.0".to_owned(),
    }
}

async fn reference_data(connection: &mut PgConnection) {
    let llama = json!({
        "model": MODEL, "family": "llama", "params_total_b": 8.03, "layers": 32,
        "kv_cache_bytes_per_token": 131_072.0, "max_context_tokens": 131_072, "gated": true, "source": "test",
    });
    let large = json!({
        "model": "meta-llama/Llama-3.1-405B", "params_total_b": 405.0, "layers": 126,
        "kv_cache_bytes_per_token": 516_096.0, "source": "test",
    });
    let unknown = json!({"model": "some/unknown", "source": "test"});
    for model in [llama, large, unknown] {
        models::add(connection, &serde_json::from_value(model).unwrap()).await.unwrap();
    }
    let instance = json!({
        "instance_type": "g6e.xlarge", "family": "g6e", "accelerator_kind": "gpu", "accelerator_name": "L40S",
        "accelerator_count": 1, "accelerator_memory_gib": 44.7, "accelerator_bandwidth_gb_per_s": 864.0,
        "accelerator_bf16_tflops": 181.0, "vcpu": 4, "memory_gib": 32.0, "source": "test",
    });
    instances::upsert(connection, &serde_json::from_value(instance).unwrap()).await.unwrap();
    engines::offer(connection, &EngineName::simulator(), &["accelbench".to_owned()]).await.unwrap();
    datasets::put(connection, &"standard".parse().unwrap(), DATASET, 2, None).await.unwrap();
}
