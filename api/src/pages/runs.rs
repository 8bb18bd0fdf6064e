//! The list of runs with the form that submits one. It works without JavaScript.

use accelbench_core::run::Run;
use accelbench_store::runs::{self, RunFilter, Submitted};
use accelbench_store::{engines, instances, models};
use askama::Template;
use askama_web::WebTemplate;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::run::to_page;
use crate::app::App;
use crate::error::ApiError;
use crate::html as filters;
use crate::submission::{self, Submission};

#[derive(Template, WebTemplate)]
#[template(path = "runs/list.html")]
pub(crate) struct RunsPage {
    runs: Vec<Run>,
    models: Vec<String>,
    instances: Vec<String>,
    engines: Vec<String>,
    form: RunForm,
    problem: Option<String>,
}

/// The form as a browser sends it: texts, empty where nothing was entered.
#[derive(Deserialize)]
pub(crate) struct RunForm {
    model: String,
    instance_type: String,
    engine: String,
    endpoint: String,
    concurrency: String,
    input_tokens: String,
    output_tokens: String,
    min_duration_s: String,
    #[serde(default)]
    hf_token: String,
    submitted_by: String,
}

pub(crate) async fn list(State(app): State<App>) -> Result<RunsPage, ApiError> {
    page(&app, RunForm::default(), None).await
}

pub(crate) async fn submit(State(app): State<App>, Form(form): Form<RunForm>) -> Result<Response, ApiError> {
    let refused = match form.submission() {
        Ok(submission) => match submission::submit(&app, &submission, None).await {
            Ok(Submitted::New(run_id) | Submitted::Existing(run_id)) => return Ok(to_page(run_id)),
            Err(error) if error.status.is_client_error() => error,
            Err(error) => return Err(error),
        },
        Err(problem) => ApiError::unprocessable(problem),
    };
    let problem = refused.hint.map_or(refused.detail.clone(), |hint| format!("{} ({hint})", refused.detail));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&app, form, Some(problem)).await?).into_response())
}

async fn page(app: &App, form: RunForm, problem: Option<String>) -> Result<RunsPage, ApiError> {
    let mut connection = app.connection().await?;
    Ok(RunsPage {
        runs: runs::list(&mut connection, &RunFilter::default(), 100).await?,
        models: models::names(&mut connection).await?,
        instances: instances::names(&mut connection).await?,
        engines: engines::names(&mut connection).await?,
        form,
        problem,
    })
}

impl Default for RunForm {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            model: String::new(),
            instance_type: String::new(),
            engine: text("simulator"),
            endpoint: String::new(),
            concurrency: text("1, 4, 16"),
            input_tokens: String::new(),
            output_tokens: String::new(),
            min_duration_s: text("60"),
            hf_token: String::new(),
            submitted_by: String::new(),
        }
    }
}

impl RunForm {
    /// The request that the form asks for.
    fn submission(&self) -> Result<Submission, String> {
        let endpoint = self.endpoint.trim();
        let (platform, default_instance) = match (endpoint, self.engine.as_str()) {
            ("", "simulator") => (json!({"kind": "local", "engine": "simulator"}), "g6e.xlarge"),
            ("", engine) => (json!({"kind": "local", "engine": engine}), "local"),
            (url, _) => (json!({"kind": "endpoint", "url": url}), "external"),
        };
        let instance =
            Some(self.instance_type.trim()).filter(|text| !text.is_empty()).unwrap_or(default_instance);
        let load_points: Result<Vec<Value>, String> = self
            .concurrency
            .split([',', ' '])
            .filter(|text| !text.is_empty())
            .map(|text| Ok(json!({"concurrency": number("concurrency", text)?})))
            .collect();
        let mut request = json!({
            "model": self.model.trim(), "instance_type": instance, "platform": platform,
            "load_points": load_points?, "submitted_by": self.submitted_by, "hf_token": self.hf_token,
            "measurement": {"min_duration_s": decimal("seconds for each load point", &self.min_duration_s)?},
        });
        request["workload"]["lengths"] = self.lengths()?;
        serde_json::from_value(request).map_err(|error| error.to_string())
    }

    fn lengths(&self) -> Result<Value, String> {
        Ok(match (self.input_tokens.trim(), self.output_tokens.trim()) {
            ("", "") => json!({"kind": "table", "table": "sharegpt"}),
            ("", output) => {
                json!({"kind": "as_in_dataset", "output_tokens": number("output tokens", output)?})
            }
            (_, "") => return Err("give the output tokens too, or neither length".to_owned()),
            (input, output) => json!({
                "kind": "fixed", "input_tokens": number("input tokens", input)?,
                "output_tokens": number("output tokens", output)?,
            }),
        })
    }
}

fn number(what: &str, text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_not_a_number| format!("{what}: `{text}` is not a whole number"))
}

fn decimal(what: &str, text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_not_a_number| format!("{what}: `{text}` is not a number"))
}
