//! Datasets of people.

use accelbench_core::dataset::{Dataset, DatasetName, InvalidDataset, Sha256Hex};
use accelbench_store::datasets::{self, StoredDataset};
use accelbench_store::{Error, PgConnection};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::body::{Parameters, RawBody};
use crate::error::ApiError;
use crate::openapi::MaybeNew;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddParameters {
    name: DatasetName,
    submitted_by: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DatasetList {
    datasets: Vec<StoredDataset>,
}

pub(crate) async fn list(State(app): State<App>) -> Result<Json<DatasetList>, ApiError> {
    let datasets = datasets::list(&mut *app.connection().await?).await?;
    Ok(Json(DatasetList { datasets }))
}

/// A new dataset is 201, one whose bytes were there already is 200 under its first name.
pub(crate) async fn add(
    State(app): State<App>,
    Parameters(parameters): Parameters<AddParameters>,
    body: Result<RawBody, ApiError>,
) -> Result<MaybeNew<StoredDataset>, ApiError> {
    let RawBody(bytes) = body.map_err(|error| with_limit(error, app.max_dataset_bytes()))?;
    let dataset = parse(bytes.clone()).await?;
    let mut connection = app.connection().await?;
    let is_new = !is_stored(&mut connection, &bytes).await?;
    let by = parameters.submitted_by.as_deref();
    let answer = datasets::put(&mut connection, &parameters.name, &bytes, dataset.len(), by).await?;
    Ok(MaybeNew { is_new, location: None, answer })
}

/// Reads the prompts off the threads that serve requests: a large dataset takes a while.
pub(crate) async fn parse(bytes: Bytes) -> Result<Dataset, ApiError> {
    let parsed = spawn_blocking(move || Dataset::parse(&bytes)).await;
    let parsed = parsed.map_err(|error| ApiError::internal("a dataset could not be read", &error))?;
    parsed.map_err(|error: InvalidDataset| {
        ApiError::unprocessable(format!("the dataset is refused: {error}"))
            .with_hint("give JSON lines such as {\"prompt\": \"...\", \"output_tokens\": 128} or {\"messages\": [...]}, ShareGPT's JSON, or CSV with input_tokens and output_tokens")
    })
}

async fn is_stored(connection: &mut PgConnection, bytes: &[u8]) -> Result<bool, ApiError> {
    let Ok(hash) = Sha256Hex::of(bytes).as_str().parse::<DatasetName>() else { return Ok(false) };
    match datasets::find(connection, &hash).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn with_limit(error: ApiError, limit_bytes: usize) -> ApiError {
    if error.status != StatusCode::PAYLOAD_TOO_LARGE {
        return error;
    }
    let limit_mib = limit_bytes / (1024 * 1024);
    ApiError::new(error.status, format!("the dataset is larger than {limit_mib} MiB"))
        .with_hint("send fewer prompts, or let the operator raise --max-dataset-mib")
}
