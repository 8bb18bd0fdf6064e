//! The Hugging Face Hub as the server asks it: briefly, and after an outage not again for a minute, so that an
//! installation without it waits once and not with each request.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use accelbench_core::model::{Model, ModelId};
use accelbench_core::secret::HfToken;
use accelbench_hub::{Hub, HubError, ResolvedModel, Timeouts};
use accelbench_store::{Error, models};
use axum::http::StatusCode;

use crate::app::App;
use crate::error::ApiError;
use crate::options::ApiOptions;

/// How long a Hub that did not answer is not asked again.
const OUTAGE: Duration = Duration::from_mins(1);

/// A person waits for the answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_millis(1500),
    answer: Duration::from_secs(8),
    longest_pause: Duration::from_secs(2),
};

/// The Hub, or the reason why it is not asked.
pub(crate) enum HubAccess {
    Asked { hub: Hub, outage: Mutex<Option<Outage>> },
    NotAsked(String),
}

/// That nobody answered, when, and in which words.
pub(crate) struct Outage {
    since: Instant,
    said: String,
}

/// Why a model was not resolved.
#[derive(Debug)]
pub(crate) enum Unresolved {
    /// The Hub answered: it cannot be had so.
    Refused(HubError),
    /// The Hub was not asked, or gave no answer; the sentence says which.
    Unanswered(String),
}

impl HubAccess {
    pub(crate) fn of(options: &ApiOptions) -> Self {
        match options.hub.connect(TIMEOUTS) {
            Ok(Some(hub)) => Self::Asked { hub, outage: Mutex::default() },
            Ok(None) => {
                Self::NotAsked("this server is offline and does not ask the Hugging Face Hub".to_owned())
            }
            Err(error) => {
                let reason = accelbench_store::error::chain(&error);
                tracing::warn!(error = reason, "the Hugging Face Hub is not asked");
                Self::NotAsked(reason)
            }
        }
    }

    /// Whether it is asked at all.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self, Self::Asked { .. })
    }

    /// The commit and facts of a model at a branch, tag or commit, or at its main branch.
    pub(crate) async fn resolve(
        &self,
        model: &ModelId,
        revision: Option<&str>,
        token: Option<&HfToken>,
    ) -> Result<ResolvedModel, Unresolved> {
        let (hub, outage) = match self {
            Self::NotAsked(reason) => return Err(Unresolved::Unanswered(reason.clone())),
            Self::Asked { hub, outage } => (hub, outage),
        };
        if let Some(said) = present(outage) {
            return Err(Unresolved::Unanswered(said));
        }
        let error = match hub.resolve(model, revision, token).await {
            Ok(resolved) => return Ok(resolved),
            Err(error) => error,
        };
        if !is_unanswered(&error) {
            return Err(Unresolved::Refused(error));
        }
        let said = format!("the Hugging Face Hub could not be reached: {error}");
        tracing::warn!(model = %model, error = accelbench_store::error::chain(&error), "the Hub did not answer");
        if matches!(error, HubError::Unreachable { .. } | HubError::TimedOut { .. }) {
            let begun = Outage { since: Instant::now(), said: said.clone() };
            *outage.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        }
        Err(Unresolved::Unanswered(said))
    }
}

/// The facts of a model of the catalog, or as the Hub tells them of another, which is not written down.
pub(crate) async fn facts(app: &App, model: &ModelId) -> Result<Model, ApiError> {
    match models::find(&mut *app.connection().await?, model).await {
        Err(Error::NotFound { .. }) => {}
        found => return Ok(found?),
    }
    let unresolved = match app.hub().resolve(model, None, None).await {
        Ok(resolved) => return Ok(Model::from(&resolved)),
        Err(Unresolved::Refused(error)) => ApiError::from(error),
        Err(Unresolved::Unanswered(reason)) => {
            let detail = format!("there is no model `{model}` in the catalog, and {reason}");
            ApiError::new(StatusCode::NOT_FOUND, detail)
        }
    };
    let names = models::names(&mut *app.connection().await?).await?;
    Err(unresolved.suggest(model.as_str(), &names))
}

/// What was said when the outage began that still lasts.
fn present(outage: &Mutex<Option<Outage>>) -> Option<String> {
    let outage = outage.lock().unwrap_or_else(PoisonError::into_inner);
    outage.as_ref().filter(|outage| outage.since.elapsed() < OUTAGE).map(|outage| outage.said.clone())
}

/// Whether the error is about the way to the Hub and not about the model.
fn is_unanswered(error: &HubError) -> bool {
    matches!(
        error,
        HubError::Unreachable { .. }
            | HubError::TimedOut { .. }
            | HubError::RateLimited { .. }
            | HubError::Failed { .. }
            | HubError::Malformed { .. }
            | HubError::Client(_)
    )
}

impl From<HubError> for ApiError {
    fn from(error: HubError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
    }
}
