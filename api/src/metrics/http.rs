//! How long answers take, by route. The route is the pattern, never the path: there are as many paths as runs.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::app::App;

type Labels = [(&'static str, String); 3];

/// The catalog's promise is 2 s; most answers take a few milliseconds.
const BUCKETS_S: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];

/// The requests of one server.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    request_duration_s: Family<Labels, Histogram>,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self { request_duration_s: Family::new_with_constructor(|| Histogram::new(BUCKETS_S)) }
    }
}

impl HttpMetrics {
    /// Shows them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_request_duration_seconds",
            "How long it took until an answer began, by route, method and status",
            self.request_duration_s.clone(),
        );
    }
}

/// Times every request.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = known_method(request.method());
    let response = next.run(request).await;
    let labels =
        [("route", route), ("method", method.to_owned()), ("status", response.status().as_u16().to_string())];
    let family = &app.http_metrics().request_duration_s;
    family.get_or_create(&labels).observe(begun.elapsed().as_secs_f64());
    response
}

/// A client may invent methods; each would be a series of its own.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
