//! Which commit of a model a run is of. The Hub is asked where its answer decides: for weights that an engine will load
//! by their commit, for models that are not in the catalog, and for names of branches. The simulator loads nothing: it is
//! told the commit where that is to be had, and does without otherwise. What somebody else serves is not asked for.

use accelbench_core::model::{Model, Revision};
use accelbench_core::run::{PlatformSpec, RunSpec};
use accelbench_hub::HubError;
use accelbench_store::{Error, PgConnection, engines, models};

use super::Submission;
use crate::app::App;
use crate::error::ApiError;
use crate::hub::Unresolved;

/// Where an operator's command takes the commit.
const PLACEHOLDER: &str = "{revision}";

/// The revision as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AskedRevision {
    /// The newest of the main branch.
    Newest,
    /// A commit.
    Commit(Revision),
    /// A branch or a tag, which is a commit only once it was resolved.
    Name(String),
}

/// What became of the question.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    /// The facts that the Hub told, with the commit.
    pub(super) resolved: Option<Model>,
    /// Why the commit is not known, where it was asked for in vain.
    pub(super) absent_reason: Option<String>,
}

/// How much the answer matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Without it there is no run.
    Answer,
    /// A refusal of the Hub ends it; without any answer the catalog's facts do.
    Commit,
    /// It is good to know.
    Welcome,
    /// It would say nothing about the run.
    None,
}

impl AskedRevision {
    pub(crate) fn of(text: Option<&str>) -> Self {
        match text.map(str::trim).filter(|text| !text.is_empty()) {
            None => Self::Newest,
            Some(text) => text.parse().map_or_else(|_no_commit| Self::Name(text.to_owned()), Self::Commit),
        }
    }

    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Newest => None,
            Self::Commit(commit) => Some(commit.as_str()),
            Self::Name(name) => Some(name),
        }
    }
}

/// Asks the Hub if need be. No transaction is open meanwhile.
pub(super) async fn resolve(app: &App, submission: &Submission) -> Result<Resolution, ApiError> {
    let Submission { spec, revision, hf_token, .. } = submission;
    let mut connection = app.connection().await?;
    let known = known(&mut connection, spec).await?;
    let need = need(&mut connection, spec, known.as_ref(), revision).await?;
    drop(connection);
    if need == Need::None {
        return Ok(Resolution::default());
    }
    match app.hub().resolve(&spec.model, revision.as_text(), hf_token.as_ref()).await {
        Ok(resolved) => Ok(Resolution { resolved: Some(Model::from(&resolved)), absent_reason: None }),
        Err(unresolved) if need == Need::Welcome => Ok(absent(revision, unresolved)),
        Err(Unresolved::Refused(error)) if need == Need::Commit && may_load(spec, &error) => {
            Ok(absent(revision, Unresolved::Refused(error)))
        }
        Err(Unresolved::Refused(error)) => refused(app, spec, error, known.as_ref()).await,
        Err(Unresolved::Unanswered(reason)) if need == Need::Answer => {
            unanswered(app, submission, known.as_ref(), &reason).await
        }
        Err(_) if needs_token(submission, known.as_ref()) && app.hub().is_asked() => Err(gated(spec)),
        Err(unresolved) => Ok(absent(revision, unresolved)),
    }
}

async fn known(connection: &mut PgConnection, spec: &RunSpec) -> Result<Option<Model>, ApiError> {
    match models::find(connection, &spec.model).await {
        Ok(model) => Ok(Some(model)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn need(
    connection: &mut PgConnection,
    spec: &RunSpec,
    known: Option<&Model>,
    revision: &AskedRevision,
) -> Result<Need, ApiError> {
    if known.is_none() || matches!(revision, AskedRevision::Name(_)) {
        return Ok(Need::Answer);
    }
    Ok(match &spec.platform {
        platform if platform.is_simulated() => match revision {
            AskedRevision::Commit(_) => Need::None,
            AskedRevision::Newest | AskedRevision::Name(_) => Need::Welcome,
        },
        PlatformSpec::Kubernetes { .. } => Need::Commit,
        PlatformSpec::Endpoint { .. } => Need::None,
        PlatformSpec::Local { engine } => match engines::find(connection, engine).await {
            Ok(offer) if offer.command.iter().any(|part| part.contains(PLACEHOLDER)) => Need::Commit,
            // An unknown engine is refused with its own words.
            Ok(_) | Err(Error::NotFound { .. }) => Need::None,
            Err(error) => return Err(error.into()),
        },
    })
}

/// A commit that was asked for stands, whether or not the Hub confirms it.
fn absent(revision: &AskedRevision, unresolved: Unresolved) -> Resolution {
    let reason = match unresolved {
        Unresolved::Refused(error) => error.to_string(),
        Unresolved::Unanswered(reason) => reason,
    };
    let is_open = !matches!(revision, AskedRevision::Commit(_));
    Resolution { resolved: None, absent_reason: is_open.then_some(reason) }
}

/// An engine on the worker's machine may have the weights, or a token of its own, where the server may not read them.
fn may_load(spec: &RunSpec, error: &HubError) -> bool {
    matches!(spec.platform, PlatformSpec::Local { .. })
        && matches!(
            error,
            HubError::TokenNeeded { .. }
                | HubError::AccessNotGranted { .. }
                | HubError::Forbidden { .. }
                | HubError::ModelNotFound { .. }
        )
}

/// Nodes of a cluster come without weights: what is gated they get with the person's token alone.
fn needs_token(submission: &Submission, known: Option<&Model>) -> bool {
    matches!(submission.spec.platform, PlatformSpec::Kubernetes { .. })
        && submission.hf_token.is_none()
        && known.is_some_and(|model| model.gated == Some(true))
}

async fn refused(
    app: &App,
    spec: &RunSpec,
    error: HubError,
    known: Option<&Model>,
) -> Result<Resolution, ApiError> {
    let is_missing = matches!(error, HubError::ModelNotFound { .. });
    let error = ApiError::from(error);
    match known {
        None if is_missing => Err(unknown_model(app, spec, error).await?),
        _ => Err(error),
    }
}

async fn unanswered(
    app: &App,
    submission: &Submission,
    known: Option<&Model>,
    reason: &str,
) -> Result<Resolution, ApiError> {
    let model = &submission.spec.model;
    if let (Some(_), AskedRevision::Name(name)) = (known, &submission.revision) {
        let detail = format!("`{name}` of {model} cannot be made a commit: {reason}");
        return Err(ApiError::unprocessable(detail)
            .with_hint("give the commit hash of 40 hexadecimal digits, or leave the revision out"));
    }
    let detail = format!("there is no model `{model}` in the catalog, and {reason}");
    Err(unknown_model(app, &submission.spec, ApiError::unprocessable(detail)).await?)
}

/// With the names that are near, or how else the model could be had: what is not on the Hub may be served all the same.
async fn unknown_model(app: &App, spec: &RunSpec, error: ApiError) -> Result<ApiError, ApiError> {
    let names = models::names(&mut *app.connection().await?).await?;
    let error = error.suggest(spec.model.as_str(), &names);
    let otherwise = "add it with POST /api/v1/models: its id alone where the Hub has it, its facts where not";
    Ok(if error.hint.is_some() { error } else { error.with_hint(otherwise) })
}

fn gated(spec: &RunSpec) -> ApiError {
    let detail = format!("{} is gated and no Hugging Face token was given", spec.model);
    ApiError::unprocessable(detail)
        .with_hint("accept its terms on the Hugging Face Hub, and give a token of that account")
}
