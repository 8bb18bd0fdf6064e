//! Models.

use accelbench_core::model::Model;
use accelbench_store::models;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

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

pub(crate) async fn add(
    State(app): State<App>,
    JsonBody(model): JsonBody<Model>,
) -> Result<(StatusCode, Json<Model>), ApiError> {
    models::add(&mut *app.connection().await?, &model).await?;
    Ok((StatusCode::CREATED, Json(model)))
}
