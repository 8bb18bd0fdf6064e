//! One error for everything that can go wrong between a request and its answer. Under `/api` it is problem JSON, elsewhere
//! a page; both say what failed and what to do.

use std::error::Error as StdError;

use accelbench_core::load::InvalidReport;
use accelbench_store::Error as StoreError;
use accelbench_store::error::chain;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::openapi::Problem;

/// What is told to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// What failed, for what.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The request cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The request is understood and cannot be met.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// The same, where a malformed body is a document that was cut short or tampered with.
    pub(crate) fn unprocessable_if_malformed(mut self) -> Self {
        if self.status == StatusCode::BAD_REQUEST {
            self.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        self
    }

    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what} `{name}`"))
    }

    pub(crate) fn wrong_method(method: &Method, path: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not take {method}"))
    }

    /// The error as programs read it.
    pub(crate) fn problem(&self, request_id: Option<&str>) -> Problem {
        Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("error"),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            hint: self.hint.clone().unwrap_or_else(|| usual_hint(self.status).to_owned()),
            request_id: request_id.map(str::to_owned),
        }
    }

    /// Whether the detail speaks of this field of a form, by its name in the API or in words.
    pub(crate) fn is_about(&self, field: &str) -> bool {
        let detail = self.detail.split('`').next().unwrap_or_default();
        detail.contains(field) || detail.contains(&field.replace('_', " "))
    }

    /// A failure of ours: the log has it, the answer does not.
    pub(crate) fn internal(what: &str, error: &dyn StdError) -> Self {
        tracing::error!(error = chain(error), "{what}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed to answer this")
            .with_hint("the server's log says why, under the request id of this answer")
    }

    /// The nearest of `names`, as a hint.
    pub(crate) fn suggest(self, wanted: &str, names: &[String]) -> Self {
        let wanted_lower = wanted.to_lowercase();
        let similarity = |name: &&String| strsim::jaro_winkler(&wanted_lower, &name.to_lowercase());
        let mut near: Vec<&String> = names.iter().filter(|name| similarity(name) > 0.8).collect();
        near.sort_by(|a, b| similarity(b).total_cmp(&similarity(a)));
        near.truncate(3);
        if near.is_empty() {
            return self;
        }
        let near: Vec<String> = near.into_iter().map(|name| format!("`{name}`")).collect();
        self.with_hint(format!("did you mean {}?", near.join(" or ")))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(error = chain(&error), "the database did not answer");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Self::new(status, "the database does not answer now")
                .with_hint("try again in a few seconds");
        }
        if error.is_out_of_range() {
            tracing::info!(error = chain(&error), "the database cannot hold a value of a request");
            return Self::bad_request("a value of the request is beyond what can be stored")
                .with_hint("give dates and numbers that can be meant");
        }
        match (&error, error.constraint()) {
            (StoreError::NotFound { what, name }, _) => Self::not_found(what, name),
            (StoreError::Conflict(reason), _) => Self::new(StatusCode::CONFLICT, reason.clone()),
            (_, Some(constraint)) => broken_rule(constraint, &error),
            _ => Self::internal("a request failed", &error),
        }
    }
}

/// What to do about a status, where the error itself does not say it.
fn usual_hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "GET /api/v1/openapi.json says what this address takes; mend the request",
        StatusCode::NOT_FOUND => "look for the name in the list one level up; /api/docs shows every address",
        StatusCode::METHOD_NOT_ALLOWED => "the header Allow says which methods this address takes",
        StatusCode::CONFLICT => "look at its present state, and decide anew",
        StatusCode::PAYLOAD_TOO_LARGE => {
            "send less, or let the operator raise the limit: `accelbench serve --help`"
        }
        StatusCode::UNPROCESSABLE_ENTITY => "change what is named, and send it again",
        status if status.is_server_error() => "try again in a few seconds; the server's log says more",
        _ => "/api/docs says how each address is used",
    }
}

fn broken_rule(constraint: &str, error: &StoreError) -> ApiError {
    match constraint {
        "result_supersessions_pkey" => {
            ApiError::new(StatusCode::CONFLICT, "the result is superseded already")
        }
        "supersede_like_by_like" => ApiError::new(
            StatusCode::CONFLICT,
            "a result can only be superseded by a later one of the same model, instance type and origin",
        ),
        _ => {
            tracing::warn!(constraint, error = chain(error), "the database refused a request");
            ApiError::unprocessable(format!("the database refuses this: it breaks the rule `{constraint}`"))
        }
    }
}

impl From<InvalidReport> for ApiError {
    fn from(error: InvalidReport) -> Self {
        Self::unprocessable(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The body is made from this where it is known who asked: see `security::guard`.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::ApiError;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["meta-llama/Llama-3.1-8B".to_owned(), "Qwen/Qwen2.5-7B".to_owned()];
        let error = ApiError::not_found("model", "meta-llama/llama-3.1-8b")
            .suggest("meta-llama/llama-3.1-8b", &names);
        assert_eq!(error.hint.as_deref(), Some("did you mean `meta-llama/Llama-3.1-8B`?"));
        assert_eq!(error.status, StatusCode::NOT_FOUND);
        assert_eq!(ApiError::not_found("model", "zzz").suggest("zzz", &names).hint, None);
    }
}
