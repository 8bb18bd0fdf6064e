//! What a run would be like, before anything is paid: asked in short, or for a whole request as it would be submitted.

use accelbench_core::engine::profile::DeploymentRequest;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::model::{ModelId, Quantization};
use accelbench_core::run::RunSpec;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::body::{JsonBody, Parameters};
use crate::error::ApiError;
use crate::estimating::{self, PricedEstimate};
use crate::submission::{self, Submission};
use crate::{fitting, hub};

/// A run on a cluster in short; what is left out is as in a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    model: ModelId,
    instance_type: InstanceTypeName,
    quantization: Option<Quantization>,
    tensor_parallel: Option<u32>,
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
    /// Numbers with commas between them, one load point each.
    concurrency: Option<String>,
    timeout_s: Option<u32>,
    region: Option<String>,
}

/// The request as it would be written, and its estimate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EstimateAnswer")]
pub(crate) struct Answer {
    spec: RunSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision_absent_reason: Option<String>,
    estimate: PricedEstimate,
}

pub(crate) async fn show(
    State(app): State<App>,
    Parameters(question): Parameters<Question>,
) -> Result<Json<Answer>, ApiError> {
    let mut spec = spec(&question)?;
    let model = hub::facts(&app, &spec.model).await?;
    let region = question.region.as_deref().unwrap_or_else(|| app.region());
    let mut connection = app.connection().await?;
    let instance = super::fits::instance(&mut connection, &spec.instance_type).await?;
    let request = DeploymentRequest {
        tensor_parallel: question.tensor_parallel,
        ..DeploymentRequest::of_run(&spec, &model, &instance)
    };
    let plan = fitting::plan(&mut connection, &request, region).await?;
    spec.tensor_parallel = plan.parallelism.tensor_parallel;
    let of = (&spec, &model, &instance);
    let estimate = estimating::estimate(&mut connection, of, Some(&plan), region).await?;
    Ok(Json(Answer { spec, revision_absent_reason: None, estimate }))
}

fn spec(question: &Question) -> Result<RunSpec, ApiError> {
    let mut request = json!({
        "model": question.model, "instance_type": question.instance_type, "platform": {"kind": "kubernetes"},
        "quantization": question.quantization, "tensor_parallel": question.tensor_parallel.unwrap_or(1),
    });
    match (question.input_tokens, question.output_tokens) {
        (None, None) => {}
        (Some(input_tokens), Some(output_tokens)) => {
            let lengths =
                json!({"kind": "fixed", "input_tokens": input_tokens, "output_tokens": output_tokens});
            request["workload"] = json!({"lengths": lengths});
        }
        _ => return Err(ApiError::unprocessable("give input_tokens and output_tokens together, or neither")),
    }
    if let Some(concurrency) = &question.concurrency {
        let loads: Result<Vec<Value>, ApiError> = concurrency.split(',').map(load_point).collect();
        request["load_points"] = Value::Array(loads?);
    }
    if let Some(timeout_s) = question.timeout_s {
        request["timeout_s"] = timeout_s.into();
    }
    let spec: RunSpec =
        serde_json::from_value(request).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    spec.validate().map_err(|error| ApiError::unprocessable(error.to_string()))?;
    Ok(spec)
}

fn load_point(text: &str) -> Result<Value, ApiError> {
    let concurrency: u32 = text.trim().parse().map_err(|_no_number| {
        ApiError::unprocessable(format!("concurrency: `{text}` is not a whole number"))
    })?;
    Ok(json!({"concurrency": concurrency}))
}

/// Checks a request as a submit does, and writes nothing.
pub(crate) async fn of_request(
    State(app): State<App>,
    JsonBody(submission): JsonBody<Submission>,
) -> Result<Json<Answer>, ApiError> {
    let (spec, revision_absent_reason, estimate) = submission::rehearse(&app, &submission).await?;
    Ok(Json(Answer { spec, revision_absent_reason, estimate }))
}
