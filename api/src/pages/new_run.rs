//! The form that submits a run: what it measures, on what, and what it costs at most. It works without JavaScript; with
//! it, the money beside the form follows the entries.

use accelbench_core::model::Quantization;
use accelbench_core::run::PlatformSpec;
use accelbench_store::runs::Submitted;
use accelbench_store::{PgConnection, datasets, engines, instances, models, platforms};
use askama::Template;
use askama_web::WebTemplate;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::frame::{Frame, Section};
use super::run::to_page;
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;
use crate::submission;

mod estimate;
mod form;

use estimate::Money;
use form::RunForm;

#[derive(Template, WebTemplate)]
#[template(path = "runs/new.html")]
pub(crate) struct NewRunPage {
    frame: Frame,
    choices: Choices,
    form: RunForm,
    money: Money,
    refused: Option<ApiError>,
}

/// What the form offers.
struct Choices {
    models: Vec<String>,
    instances: Vec<String>,
    engines: Vec<String>,
    datasets: Vec<String>,
    /// Whether some worker was given a cluster.
    kubernetes: bool,
}

/// The empty form, or one with what an address suggests.
pub(crate) async fn show(
    State(app): State<App>,
    Parameters(form): Parameters<RunForm>,
) -> Result<NewRunPage, ApiError> {
    NewRunPage::load(&mut *app.connection().await?, form.fresh(), None).await
}

pub(crate) async fn submit(
    State(app): State<App>,
    form: Result<Form<RunForm>, FormRejection>,
) -> Result<Response, ApiError> {
    let Form(form) = form.map_err(|error| ApiError::bad_request(error.body_text()))?;
    match submit_form(&app, &form).await {
        Ok(Submitted::New(run_id) | Submitted::Existing(run_id)) => Ok(to_page(run_id)),
        Err(error) if error.status.is_client_error() => {
            let page = NewRunPage::load(&mut *app.connection().await?, form, Some(error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn submit_form(app: &App, form: &RunForm) -> Result<Submitted, ApiError> {
    let submission = form.submission()?;
    let key = form.idempotency_key(&submission);
    submission::submit(app, &submission, Some(&key)).await
}

impl NewRunPage {
    async fn load(
        connection: &mut PgConnection,
        form: RunForm,
        refused: Option<ApiError>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            frame: Frame::load(connection, Section::Runs).await?,
            choices: Choices::load(connection).await?,
            money: Money::load(connection, &form).await?,
            form,
            refused,
        })
    }

    /// What is wrong with a field, if the refusal is about it.
    fn complaint(&self, field: &str) -> Option<&str> {
        let refused = self.refused.as_ref()?;
        refused.is_about(field).then_some(refused.detail.as_str())
    }
}

impl Choices {
    async fn load(connection: &mut PgConnection) -> Result<Self, ApiError> {
        let cluster = PlatformSpec::Kubernetes { engine: accelbench_core::engine::EngineName::vllm() };
        Ok(Self {
            models: models::names(connection).await?,
            instances: instances::names(connection).await?,
            engines: engines::names(connection).await?,
            datasets: datasets::names(connection).await?,
            kubernetes: platforms::is_offered(connection, &cluster).await?,
        })
    }
}
