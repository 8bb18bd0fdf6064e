//! Models: those that are known, and adding one by its name on the Hugging Face Hub or by its facts.

use accelbench_core::model::{Model, ModelId};
use accelbench_core::secret::HfToken;
use accelbench_store::Error;
use accelbench_store::models::{self, ModelFilter};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::address::InAddress;
use crate::app::App;
use crate::body::{JsonBody, Parameters};
use crate::error::ApiError;
use crate::hub::Unresolved;
use crate::openapi::MaybeNew;
use crate::rest::paging;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelParameters {
    search: Option<String>,
    limit: Option<u32>,
    cursor: Option<ModelId>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ModelList {
    models: Vec<Model>,
    /// What to give as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ModelParameters>,
) -> Result<Json<ModelList>, ApiError> {
    let limit = paging::limit(parameters.limit, paging::MOST)?;
    let filter = ModelFilter { search: parameters.search.as_deref(), after: parameters.cursor.as_ref() };
    let models = models::page(&mut *app.connection().await?, &filter, i64::from(limit)).await?;
    let next_cursor = paging::next(&models, limit, |last| last.model.to_string());
    Ok(Json(ModelList { models, next_cursor }))
}

/// A model with the commits of it that are known.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KnownModel {
    #[serde(flatten)]
    model: Model,
    revisions: Vec<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    InAddress(model): InAddress<ModelId>,
) -> Result<Json<KnownModel>, ApiError> {
    Ok(Json(known(&app, &model).await?))
}

async fn known(app: &App, model: &ModelId) -> Result<KnownModel, ApiError> {
    let mut connection = app.connection().await?;
    let model = models::find(&mut connection, model).await?;
    let revisions = models::revisions(&mut connection, &model.model).await?;
    Ok(KnownModel { model, revisions })
}

/// A model that the Hub is to be asked about. The token is used for that and nothing else.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToResolve {
    id: ModelId,
    revision: Option<String>,
    hf_token: Option<HfToken>,
}

/// What adds a model.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct NewModel(#[schemars(with = "NamedOrDescribed")] Map<String, Value>);

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what a body may hold")]
enum NamedOrDescribed {
    Named(ToResolve),
    Described(Box<Model>),
}

/// Adds a model, or replaces what is known of it: by its `id` as the Hub describes it, or as `model` with its facts, of
/// which those that are left out are unknown.
pub(crate) async fn add(
    State(app): State<App>,
    HubToken(token): HubToken,
    JsonBody(NewModel(body)): JsonBody<NewModel>,
) -> Result<MaybeNew<KnownModel>, ApiError> {
    let model = if body.contains_key("id") {
        let asked: ToResolve =
            serde_path_to_error::deserialize(Value::Object(body)).map_err(|error| unreadable(&error))?;
        resolve(&app, &asked, token.as_ref()).await?
    } else {
        let model = read(body)?;
        models::add(&mut *app.connection().await?, &model).await?;
        model.model
    };
    let answer = known(&app, &model).await?;
    Ok(MaybeNew { is_new: true, location: Some(format!("/api/v1/models/{model}")), answer })
}

/// Asks the Hub and writes down what it says; the model's name is the Hub's, which differs where it was renamed.
async fn resolve(app: &App, asked: &ToResolve, header_token: Option<&HfToken>) -> Result<ModelId, ApiError> {
    let token = asked.hf_token.as_ref().or(header_token);
    let resolved = app.hub().resolve(&asked.id, asked.revision.as_deref(), token).await;
    let resolved = resolved.map_err(|unresolved| match unresolved {
        Unresolved::Refused(error) => error.into(),
        Unresolved::Unanswered(reason) => {
            ApiError::unprocessable(format!("{} cannot be looked up: {reason}", asked.id))
                .with_hint("try again later, or give the model's facts: `model` instead of `id`")
        }
    })?;
    let model = Model::from(&resolved);
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    models::add_resolved(&mut transaction, &model).await?;
    transaction.commit().await.map_err(Error::from)?;
    Ok(model.model)
}

/// A Hugging Face token beside the body.
pub(crate) struct HubToken(Option<HfToken>);

impl<S: Sync> FromRequestParts<S> for HubToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = parts.headers.get("x-hf-token").map(|value| value.to_str().unwrap_or_default());
        let token = text.map(HfToken::new).transpose().map(Self);
        token.map_err(|error| ApiError::unprocessable(format!("the header X-HF-Token: {error}")))
    }
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    ApiError::unprocessable(error.to_string())
}

fn read(mut facts: Map<String, Value>) -> Result<Model, ApiError> {
    facts.entry("source").or_insert_with(|| json!("given through the API"));
    if let Some((name, _)) = facts.iter().find(|(_, value)| value.as_f64().is_some_and(|value| value <= 0.0))
    {
        let error = ApiError::unprocessable(format!("{name} must be above zero"));
        return Err(error.with_hint("leave out what is not known"));
    }
    serde_path_to_error::deserialize(Value::Object(facts)).map_err(|error| unreadable(&error))
}
