//! Models.

use accelbench_core::model::Model;
use accelbench_store::models;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::body::{JsonBody, Parameters};
use crate::error::ApiError;

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

/// Adds a model, or replaces what is known of it. Only its id is needed; what is left out is unknown.
pub(crate) async fn add(
    State(app): State<App>,
    JsonBody(facts): JsonBody<Map<String, Value>>,
) -> Result<(StatusCode, Json<Model>), ApiError> {
    let model = read(facts)?;
    models::add(&mut *app.connection().await?, &model).await?;
    Ok((StatusCode::CREATED, Json(model)))
}

fn read(mut facts: Map<String, Value>) -> Result<Model, ApiError> {
    facts.entry("source").or_insert_with(|| json!("given through the API"));
    if let Some((name, _)) = facts.iter().find(|(_, value)| value.as_f64().is_some_and(|value| value <= 0.0))
    {
        let error = ApiError::unprocessable(format!("{name} must be above zero"));
        return Err(error.with_hint("leave out what is not known"));
    }
    serde_path_to_error::deserialize(Value::Object(facts))
        .map_err(|error| ApiError::unprocessable(error.to_string()))
}
