//! The estimate of a run with what it rests on: how the model would be deployed, and a price with its age.

use accelbench_core::engine::profile::DeploymentPlan;
use accelbench_core::estimate::{HourlyUsd, RunEstimate};
use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::model::Model;
use accelbench_core::run::{PlatformSpec, RunSpec};
use accelbench_store::PgConnection;
use accelbench_store::prices::{self, KnownPrice, PriceFilter};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::ApiError;
use crate::fitting::Deployment;

/// An estimate for whoever asked. Nothing of it was measured.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PricedEstimate {
    /// Says so.
    label: &'static str,
    /// The whole in words.
    pub(crate) sentence: String,
    /// How a cluster would deploy it.
    pub(crate) deployment: Option<Deployment>,
    #[serde(flatten)]
    pub(crate) run: RunEstimate,
    /// What the money rests on.
    pub(crate) price: Option<PriceBasis>,
}

/// An on-demand price.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PriceBasis {
    pub(crate) region: String,
    tier: &'static str,
    source: String,
    as_of: DateTime<Utc>,
    /// When its source was last asked.
    pub(crate) confirmed_at: DateTime<Utc>,
    age_days: i64,
}

pub(crate) async fn estimate(
    connection: &mut PgConnection,
    of: (&RunSpec, &Model, &InstanceType),
    plan: Option<&DeploymentPlan>,
    region: &str,
) -> Result<PricedEstimate, ApiError> {
    let (spec, model, instance) = of;
    // Elsewhere nothing is paid, whatever it would cost.
    let known = match &spec.platform {
        PlatformSpec::Kubernetes { .. } => on_demand(connection, &spec.instance_type, region).await?,
        PlatformSpec::Local { .. } | PlatformSpec::Endpoint { .. } => None,
    };
    let hourly = known.as_ref().map_or_else(
        || HourlyUsd::absent(format!("no on-demand price of {} in {region} is known", spec.instance_type)),
        |known| HourlyUsd::from(&known.price),
    );
    let run = RunEstimate::of(spec, model, instance, plan, &hourly);
    let price = known.map(PriceBasis::from);
    let deployment = plan.map(Deployment::from);
    let sentence = sentence(deployment.as_ref(), &run, price.as_ref());
    Ok(PricedEstimate { label: "estimate", sentence, deployment, run, price })
}

async fn on_demand(
    connection: &mut PgConnection,
    instance_type: &InstanceTypeName,
    region: &str,
) -> Result<Option<KnownPrice>, ApiError> {
    let filter = PriceFilter {
        instance_type: Some(instance_type.as_str()),
        region: Some(region),
        tier: Some("on_demand"),
    };
    Ok(prices::newest(connection, &filter).await?.pop())
}

fn sentence(deployment: Option<&Deployment>, run: &RunEstimate, price: Option<&PriceBasis>) -> String {
    let fit = deployment.map(|it| format!("fit: {}\nweights: {}\n", it.sentence, it.precision));
    let basis = price.map(|it| {
        format!("\nprice: on demand in {}, confirmed {} days ago, from {}", it.region, it.age_days, it.source)
    });
    format!("{}{run}{}", fit.unwrap_or_default(), basis.unwrap_or_default())
}

impl From<KnownPrice> for PriceBasis {
    fn from(known: KnownPrice) -> Self {
        Self {
            region: known.price.region,
            tier: known.price.tier.as_str(),
            source: known.price.source,
            as_of: known.price.as_of,
            confirmed_at: known.confirmed_at,
            age_days: (Utc::now() - known.confirmed_at).num_days(),
        }
    }
}
