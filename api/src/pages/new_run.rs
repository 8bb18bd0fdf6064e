//! The form that submits a run, and beside it what the run would be like: whether it fits, how long it takes, what it costs,
//! and whether somebody measured it already. It works without JavaScript; with it, what stands beside follows the entries.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::estimate::RunMoney;
use accelbench_core::model::Quantization;
use accelbench_core::run::{PlatformSpec, RunId};
use accelbench_store::runs::Submitted;
use accelbench_store::{PgConnection, datasets, engines, instances, models, platforms};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::frame::{Frame, Section};
use super::run::to_page;
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::form::PostedForm;
use crate::html as filters;
use crate::submission;

mod fit_bar;
mod form;
mod money;
mod panel;
mod upload;

use form::{Place, RunForm};
use money::Money;
use panel::{Checked, Panel};

#[derive(Template, WebTemplate)]
#[template(path = "runs/new.html")]
pub(crate) struct NewRunPage {
    frame: Frame,
    choices: Choices,
    form: RunForm,
    /// What stands beside the form.
    panel: Panel,
    form_token: String,
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
    let form = form.fresh();
    let panel = Panel::unchecked(&mut *app.connection().await?, &form).await?;
    NewRunPage::load(&app, form, panel, None).await
}

/// The form with what its run would be like beside it; nothing is started.
pub(crate) async fn check(State(app): State<App>, posted: PostedForm) -> Result<NewRunPage, ApiError> {
    let mut form: RunForm = posted.read()?;
    let refused = take_dataset(&app, &posted, &mut form).await.err();
    let (panel, refused) = match refused {
        Some(error) => (Panel::Refused(error.clone()), Some(error)),
        None => Panel::checked(&app, &form).await?,
    };
    NewRunPage::load(&app, form, panel, refused).await
}

/// Starts the run, once its money was named and what was measured already was shown.
pub(crate) async fn submit(State(app): State<App>, posted: PostedForm) -> Result<Response, ApiError> {
    let mut form: RunForm = posted.read()?;
    match submit_form(&app, &posted, &mut form).await {
        Ok(Outcome::Submitted(run_id)) => Ok(to_page(run_id)),
        Ok(Outcome::Asks(panel)) => Ok(NewRunPage::load(&app, form, *panel, None).await?.into_response()),
        Err(error) if error.status.is_client_error() => {
            let panel = Panel::Refused(error.clone());
            let page = NewRunPage::load(&app, form, panel, Some(error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error),
    }
}

/// What came of sending the form.
enum Outcome {
    Submitted(RunId),
    /// Nothing was started: the person has not seen this yet.
    Asks(Box<Panel>),
}

async fn submit_form(app: &App, posted: &PostedForm, form: &mut RunForm) -> Result<Outcome, ApiError> {
    take_dataset(app, posted, form).await?;
    let submission = form.submission()?;
    if form.place() == Place::Kubernetes {
        let checked = Checked::new(submission::examine(app, &submission).await?, true);
        if !checked.is_agreed_by(form) {
            return Ok(Outcome::Asks(Box::new(Panel::Checked(Box::new(checked)))));
        }
    }
    let key = form.idempotency_key(&submission);
    let (Submitted::New(run_id) | Submitted::Existing(run_id)) =
        submission::submit(app, &submission, Some(&key)).await?;
    Ok(Outcome::Submitted(run_id))
}

/// Keeps the file that came with the form as a dataset, and chooses it.
async fn take_dataset(app: &App, posted: &PostedForm, form: &mut RunForm) -> Result<(), ApiError> {
    if let Some(file) = posted.file() {
        let by = Some(form.submitted_by.trim()).filter(|name| !name.is_empty());
        form.dataset = upload::keep(app, file, by).await?;
    }
    Ok(())
}

impl NewRunPage {
    async fn load(
        app: &App,
        form: RunForm,
        panel: Panel,
        refused: Option<ApiError>,
    ) -> Result<Self, ApiError> {
        let mut connection = app.connection().await?;
        Ok(Self {
            frame: Frame::load(&mut connection, Section::Runs).await?,
            choices: Choices::load(&mut connection, &form.dataset).await?,
            form_token: app.form_token(),
            panel,
            form,
            refused,
        })
    }

    fn is_unchecked(&self) -> bool {
        matches!(self.panel, Panel::Unchecked(_))
    }

    /// What is wrong with a field, if the refusal is about it.
    fn complaint(&self, field: &str) -> Option<&str> {
        let refused = self.refused.as_ref()?;
        // A dataset's own faults speak of fields of its lines.
        if refused.detail.starts_with(upload::FIELD) {
            return (field == upload::FIELD).then_some(refused.detail.as_str());
        }
        refused.is_about(field).then_some(refused.detail.as_str())
    }
}

impl Choices {
    async fn load(connection: &mut PgConnection, chosen: &str) -> Result<Self, ApiError> {
        let mut datasets = datasets::names(connection).await?;
        // One that another of the same name has replaced is found by its hash.
        if !datasets.iter().any(|name| name == chosen) && chosen.parse::<Sha256Hex>().is_ok() {
            datasets.push(chosen.to_owned());
        }
        let cluster = PlatformSpec::Kubernetes { engine: accelbench_core::engine::EngineName::vllm() };
        Ok(Self {
            models: models::names(connection).await?,
            instances: instances::names(connection).await?,
            engines: engines::names(connection).await?,
            datasets,
            kubernetes: platforms::is_offered(connection, &cluster).await?,
        })
    }
}
