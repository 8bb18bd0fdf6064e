//! Models: those that are known, and adding one by its name on the Hugging Face Hub or by its facts.

use accelbench_core::model::{Model, ModelId};
use accelbench_core::secret::HfToken;
use accelbench_store::{Error, models};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::body::{JsonBody, Parameters};
use crate::error::ApiError;
use crate::hub::Unresolved;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelParameters {
    search: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ModelParameters>,
) -> Result<Json<Value>, ApiError> {
    let limit = i64::from(parameters.limit.unwrap_or(1000).clamp(1, 10_000));
    let models = models::list(&mut *app.connection().await?, parameters.search.as_deref(), limit).await?;
    Ok(Json(json!({"models": models})))
}

/// A model with the commits of it that are known.
#[derive(Debug, Serialize)]
pub(crate) struct KnownModel {
    #[serde(flatten)]
    model: Model,
    revisions: Vec<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(model): Path<String>,
) -> Result<Json<KnownModel>, ApiError> {
    let unknown = |_no_id| ApiError::not_found("model", &model);
    let model: ModelId = model.parse().map_err(unknown)?;
    Ok(Json(known(&app, &model).await?))
}

async fn known(app: &App, model: &ModelId) -> Result<KnownModel, ApiError> {
    let mut connection = app.connection().await?;
    let model = models::find(&mut connection, model).await?;
    let revisions = models::revisions(&mut connection, &model.model).await?;
    Ok(KnownModel { model, revisions })
}

/// A model that the Hub is to be asked about. The token is used for that and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToResolve {
    id: ModelId,
    revision: Option<String>,
    hf_token: Option<HfToken>,
}

/// Adds a model, or replaces what is known of it: by its `id` as the Hub describes it, or as `model` with its facts, of
/// which those that are left out are unknown.
pub(crate) async fn add(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<(StatusCode, Json<KnownModel>), ApiError> {
    let model = if body.contains_key("id") {
        let asked: ToResolve =
            serde_path_to_error::deserialize(Value::Object(body)).map_err(|error| unreadable(&error))?;
        resolve(&app, &asked, token(&headers)?.as_ref()).await?
    } else {
        let model = read(body)?;
        models::add(&mut *app.connection().await?, &model).await?;
        model.model
    };
    Ok((StatusCode::CREATED, Json(known(&app, &model).await?)))
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

fn token(headers: &HeaderMap) -> Result<Option<HfToken>, ApiError> {
    let text = headers.get("x-hf-token").map(|value| value.to_str().unwrap_or_default());
    let token = text.map(HfToken::new).transpose();
    token.map_err(|error| ApiError::unprocessable(format!("the header X-HF-Token: {error}")))
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
