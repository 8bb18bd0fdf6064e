//! What keeping the catalog fresh takes: the plan that a refresh would carry out now.

use accelbench_core::catalog::refresh::RefreshPlan;
use accelbench_core::price::DEFAULT_REGION;
use accelbench_store::catalog_targets::{self, PlanOptions};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanParameters {
    /// The region whose on-demand prices count.
    region: Option<String>,
    /// What may be spent in seven days; without it the plan is of everything that is due.
    budget_usd: Option<f64>,
}

/// Whether workers have a token for gated models is not known here, so that these are planned too, and said to be gated.
pub(crate) async fn plan(
    State(app): State<App>,
    Parameters(parameters): Parameters<PlanParameters>,
) -> Result<Json<RefreshPlan>, ApiError> {
    if parameters.budget_usd.is_some_and(|usd| !(usd.is_finite() && usd >= 0.0)) {
        return Err(ApiError::bad_request("budget_usd must be a number of US dollars, 0 or more"));
    }
    let options = PlanOptions {
        region: parameters.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
        budget_usd: parameters.budget_usd,
        has_token: true,
    };
    Ok(Json(catalog_targets::plan(&mut *app.connection().await?, &options).await?))
}
