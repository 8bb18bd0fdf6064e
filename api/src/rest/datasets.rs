//! Datasets of people.

use accelbench_core::dataset::{self, DatasetName};
use accelbench_store::datasets::{self, StoredDataset};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::body::{Parameters, RawBody};
use crate::error::ApiError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddParameters {
    name: DatasetName,
    submitted_by: Option<String>,
}

pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({"datasets": datasets::list(&mut *app.connection().await?).await?})))
}

pub(crate) async fn add(
    State(app): State<App>,
    Parameters(parameters): Parameters<AddParameters>,
    RawBody(bytes): RawBody,
) -> Result<(StatusCode, Json<StoredDataset>), ApiError> {
    let prompts = dataset::parse(&bytes)
        .map_err(|error| ApiError::unprocessable(format!("the dataset is refused: {error}")))?;
    let by = parameters.submitted_by.as_deref();
    let stored =
        datasets::put(&mut *app.connection().await?, &parameters.name, &bytes, prompts.len(), by).await?;
    Ok((StatusCode::CREATED, Json(stored)))
}
