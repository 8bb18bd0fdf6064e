//! What requests can name, and how the installation is doing.

use accelbench_core::price::PricingTier;
use accelbench_store::prices::{self, PriceFilter};
use accelbench_store::status::{self, Status};
use accelbench_store::{engines, instances};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;

pub(crate) async fn instances(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({"instances": instances::list(&mut *app.connection().await?).await?})))
}

/// Which prices; what is left out admits all.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceParameters {
    instance_type: Option<String>,
    region: Option<String>,
    tier: Option<String>,
}

pub(crate) async fn prices(
    State(app): State<App>,
    Parameters(parameters): Parameters<PriceParameters>,
) -> Result<Json<Value>, ApiError> {
    if let Some(tier) = parameters.tier.as_deref().filter(|tier| !PricingTier::WORDS.contains(tier)) {
        let words = PricingTier::WORDS.join(", ");
        return Err(ApiError::unprocessable(format!("there is no pricing tier `{tier}`"))
            .with_hint(format!("the tiers are {words}")));
    }
    let filter = PriceFilter {
        instance_type: parameters.instance_type.as_deref(),
        region: parameters.region.as_deref(),
        tier: parameters.tier.as_deref(),
    };
    Ok(Json(json!({"prices": prices::newest(&mut *app.connection().await?, &filter).await?})))
}

/// The names alone: the commands behind them are the operator's.
pub(crate) async fn engines(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({"engines": engines::names(&mut *app.connection().await?).await?})))
}

pub(crate) async fn status(State(app): State<App>) -> Result<Json<Status>, ApiError> {
    Ok(Json(status::summary(&mut *app.connection().await?).await?))
}

/// Ready means that the database answers and has the schema.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    status::summary(&mut *app.connection().await?).await?;
    Ok("ready\n")
}
