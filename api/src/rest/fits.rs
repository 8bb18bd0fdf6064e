//! Whether a model fits an instance type, in numbers, with what would fit instead.

use accelbench_core::engine::profile::{DeploymentRequest, Unsupported, choose};
use accelbench_core::fit::Misfit;
use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::model::{ModelId, Quantization};
use accelbench_store::{Error, PgConnection, instances};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::fitting::{self, Deployment, Elsewhere};
use crate::hub;

/// Prompt and answer together, where the question does not say.
const USUAL_CONTEXT_TOKENS: u32 = 8192;

/// Requests at once, where the question does not say.
const USUAL_CONCURRENCY: u32 = 16;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    model: ModelId,
    instance_type: InstanceTypeName,
    /// As the model comes, unless given.
    quantization: Option<Quantization>,
    context: Option<u32>,
    concurrency: Option<u32>,
    /// As few as hold it, unless given.
    tensor_parallel: Option<u32>,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FitAnswer")]
pub(crate) struct Answer {
    model: ModelId,
    instance_type: InstanceTypeName,
    /// As the engine would be told.
    context_tokens: u32,
    concurrency: u32,
    fits: bool,
    /// The answer for a person.
    sentence: String,
    /// How it would be deployed, if it fits.
    deployment: Option<Deployment>,
    /// What is short, if it does not fit.
    misfit: Option<Misfit>,
    /// The cheapest instance types on which it would fit, where it does not fit this one.
    elsewhere: Vec<Elsewhere>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Parameters(question): Parameters<Question>,
) -> Result<Json<Answer>, ApiError> {
    let model = hub::facts(&app, &question.model).await?;
    let mut connection = app.connection().await?;
    let instance = instance(&mut connection, &question.instance_type).await?;
    let (context, concurrency) =
        (at_least_one("context", question.context)?, at_least_one("concurrency", question.concurrency)?);
    let request = DeploymentRequest {
        quantization: question.quantization,
        tensor_parallel: question.tensor_parallel,
        ..DeploymentRequest::of_context(
            &model,
            &instance,
            context.unwrap_or(USUAL_CONTEXT_TOKENS),
            concurrency.unwrap_or(USUAL_CONCURRENCY),
        )
    };
    Ok(Json(answer(&mut connection, &request, app.region()).await?))
}

async fn answer(
    connection: &mut PgConnection,
    request: &DeploymentRequest<'_>,
    region: &str,
) -> Result<Answer, ApiError> {
    let outcome = choose(request);
    let answer = Answer {
        model: request.model.model.clone(),
        instance_type: request.instance.instance_type.clone(),
        context_tokens: request.max_context_tokens(),
        concurrency: request.sequences,
        fits: outcome.is_ok(),
        sentence: String::new(),
        deployment: None,
        misfit: None,
        elsewhere: Vec::new(),
    };
    match outcome {
        Ok(plan) => {
            let deployment = Deployment::from(&plan);
            Ok(Answer { sentence: deployment.sentence.clone(), deployment: Some(deployment), ..answer })
        }
        Err(unsupported) => {
            let elsewhere = fitting::elsewhere(connection, request, &unsupported, region).await?;
            let sentence = unsupported.to_string();
            match unsupported {
                Unsupported::DoesNotFit { misfit, .. } => {
                    Ok(Answer { sentence, misfit: Some(*misfit), elsewhere, ..answer })
                }
                _ => Err(ApiError::unprocessable(sentence)),
            }
        }
    }
}

/// The instance type of that name.
pub(super) async fn instance(
    connection: &mut PgConnection,
    name: &InstanceTypeName,
) -> Result<InstanceType, ApiError> {
    match instances::find(connection, name).await {
        Err(error @ Error::NotFound { .. }) => {
            let names = instances::names(connection).await?;
            Err(ApiError::from(error).suggest(name.as_str(), &names))
        }
        found => Ok(found?),
    }
}

fn at_least_one(name: &str, given: Option<u32>) -> Result<Option<u32>, ApiError> {
    match given {
        Some(0) => Err(ApiError::unprocessable(format!("{name} must be 1 or more"))),
        given => Ok(given),
    }
}
