//! What others measured: listed apart from our own results, and taken over from the files of other load generators.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::exchange::import::{Measured, import};
use accelbench_core::imported::{EngineSetup, Hardware, ImportedResult, MeasurementKind, Source};
use accelbench_core::model::ModelId;
use accelbench_store::error::chain;
use accelbench_store::imported::{self, ImportFilter, StoredImport};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::address::InAddress;
use crate::app::App;
use crate::body::{JsonBody, Parameters};
use crate::error::ApiError;
use crate::openapi::MaybeNew;
use crate::rest::paging;

/// Which imported results; what is left out admits all.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportParameters {
    model: Option<String>,
    instance_type: Option<String>,
    accelerator_name: Option<String>,
    source: Option<String>,
    kind: Option<MeasurementKind>,
    engine: Option<String>,
    precision: Option<String>,
    concurrency: Option<i32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImportList {
    imported_results: Vec<StoredImport>,
    /// What to give as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A file of another load generator, and what it does not say itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportRequest {
    /// What `vllm bench serve --save-result` or `GuideLLM` wrote.
    file: Value,
    source: Source,
    /// The model, where the file does not name it or names it otherwise.
    model: Option<ModelId>,
    #[serde(default)]
    hardware: Hardware,
    #[serde(default)]
    engine: EngineSetup,
    imported_by: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Imported {
    /// How many of the results were not there before.
    added: u64,
    results: Vec<ImportedResult>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<ImportParameters>,
) -> Result<Json<ImportList>, ApiError> {
    let limit = paging::limit(parameters.limit, 100)?;
    let filter = ImportFilter::try_from(parameters)?;
    let imported_results = imported::list(&mut *app.connection().await?, &filter, i64::from(limit)).await?;
    let next_cursor = paging::next(&imported_results, limit, |last| last.imported_result_id.to_string());
    Ok(Json(ImportList { imported_results, next_cursor }))
}

pub(crate) async fn show(
    State(app): State<App>,
    InAddress(imported_result_id): InAddress<Sha256Hex>,
) -> Result<Json<StoredImport>, ApiError> {
    Ok(Json(imported::find(&mut *app.connection().await?, &imported_result_id).await?))
}

/// Takes a file over. The same file again adds nothing.
pub(crate) async fn add(
    State(app): State<App>,
    JsonBody(request): JsonBody<ImportRequest>,
) -> Result<MaybeNew<Imported>, ApiError> {
    let measured = import(&request.file).map_err(|error| ApiError::unprocessable(chain(&error)))?;
    let results: Vec<ImportedResult> =
        measured.into_iter().map(|measured| request.result(measured)).collect::<Result<_, _>>()?;
    // Nothing stands for what comes with a release, which nobody imported.
    let imported_by = request.imported_by.as_deref().unwrap_or("unnamed");
    let mut transaction = app.pool().begin().await.map_err(accelbench_store::Error::from)?;
    let added = imported::record(&mut transaction, &results, Some(imported_by)).await?;
    transaction.commit().await.map_err(accelbench_store::Error::from)?;
    Ok(MaybeNew { is_new: added > 0, location: None, answer: Imported { added, results } })
}

impl ImportRequest {
    fn result(&self, measured: Measured) -> Result<ImportedResult, ApiError> {
        let mut source = self.source.clone();
        source.reference.get_or_insert_with(|| format!("a file of {}", measured.tool));
        if source.date.is_none() {
            source.date = measured.date.map(|date| date.to_string());
        }
        let result = ImportedResult {
            source,
            model: self.model(measured.model)?,
            hardware: self.hardware.clone(),
            engine: self.engine.clone(),
            kind: measured.kind,
            offered_load: measured.offered_load,
            batch_size: None,
            input_tokens_mean: measured.input_tokens_mean,
            output_tokens_mean: measured.output_tokens_mean,
            requests_completed: Some(measured.requests_completed),
            requests_failed: Some(measured.requests_failed),
            metrics: measured.metrics,
            caveats: measured.caveats,
        };
        result.validate().map_err(|error| ApiError::unprocessable(error.to_string()))?;
        Ok(result)
    }

    fn model(&self, in_file: Option<String>) -> Result<ModelId, ApiError> {
        match (&self.model, in_file) {
            (Some(model), _) => Ok(model.clone()),
            (None, Some(name)) => name.parse().map_err(|error| {
                ApiError::unprocessable(format!("the model in the file: {error}"))
                    .with_hint("give the model's Hugging Face id as `model`")
            }),
            (None, None) => Err(ApiError::unprocessable("the file does not name its model")
                .with_hint("give the model's Hugging Face id as `model`")),
        }
    }
}

impl TryFrom<ImportParameters> for ImportFilter {
    type Error = ApiError;

    fn try_from(parameters: ImportParameters) -> Result<Self, ApiError> {
        Ok(Self {
            model: parameters.model,
            instance_type: parameters.instance_type,
            accelerator_name: parameters.accelerator_name,
            source: parameters.source,
            kind: parameters.kind,
            engine: parameters.engine,
            precision: parameters.precision,
            concurrency: parameters.concurrency,
            after: paging::cursor(parameters.cursor.as_deref())?,
        })
    }
}
