//! What requests can name, and how the installation is doing.

use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::price::PricingTier;
use accelbench_store::prices::{self, KnownPrice, PriceFilter};
use accelbench_store::status::{self, Status};
use accelbench_store::{engines, instances};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::InAddress;
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstanceList {
    instances: Vec<InstanceType>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PriceList {
    prices: Vec<KnownPrice>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EngineList {
    engines: Vec<String>,
}

pub(crate) async fn instances(State(app): State<App>) -> Result<Json<InstanceList>, ApiError> {
    let instances = instances::list(&mut *app.connection().await?).await?;
    Ok(Json(InstanceList { instances }))
}

pub(crate) async fn instance(
    State(app): State<App>,
    InAddress(instance_type): InAddress<InstanceTypeName>,
) -> Result<Json<InstanceType>, ApiError> {
    Ok(Json(super::fits::instance(&mut *app.connection().await?, &instance_type).await?))
}

/// Which prices; what is left out admits all.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceParameters {
    instance_type: Option<String>,
    region: Option<String>,
    tier: Option<String>,
}

pub(crate) async fn prices(
    State(app): State<App>,
    Parameters(parameters): Parameters<PriceParameters>,
) -> Result<Json<PriceList>, ApiError> {
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
    let prices = prices::newest(&mut *app.connection().await?, &filter).await?;
    Ok(Json(PriceList { prices }))
}

/// The names alone: the commands behind them are the operator's.
pub(crate) async fn engines(State(app): State<App>) -> Result<Json<EngineList>, ApiError> {
    let engines = engines::names(&mut *app.connection().await?).await?;
    Ok(Json(EngineList { engines }))
}

pub(crate) async fn status(State(app): State<App>) -> Result<Json<Status>, ApiError> {
    Ok(Json(status::summary(&mut *app.connection().await?).await?))
}

/// Ready means that the database answers and has the schema.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    status::summary(&mut *app.connection().await?).await?;
    Ok("ready\n")
}
