//! The instance types with their accelerators and what an hour of each costs.

use accelbench_core::instance::InstanceType;
use accelbench_core::observed::Observed;
use accelbench_core::price::HourlyPrice;
use accelbench_store::{instances, prices};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use serde::Deserialize;

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;
use crate::pricing::{PriceParts, Pricing};

#[derive(Template, WebTemplate)]
#[template(path = "instances/list.html")]
pub(crate) struct InstancesPage {
    frame: Frame,
    pricing: Pricing,
    currency: String,
    regions: Vec<String>,
    kind: Option<String>,
    instances: Vec<(InstanceType, Observed<f64>)>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct InstanceFilter {
    /// `gpu` or `neuron`.
    kind: Option<String>,
    #[serde(flatten)]
    pricing: PriceParts,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(filter): Parameters<InstanceFilter>,
) -> Result<InstancesPage, ApiError> {
    let mut connection = app.connection().await?;
    let known = filter.pricing.pricing()?.load(&mut connection).await?;
    let admits = |instance: &InstanceType| {
        let kind = instance.accelerator_kind.as_str();
        instance.instance_type.is_aws() && filter.kind.as_deref().is_none_or(|wanted| wanted == kind)
    };
    let instances = instances::list(&mut connection).await?.into_iter().filter(admits);
    let priced = instances.map(|instance| {
        let per_hour = known.of(&instance.instance_type).map(|price: HourlyPrice| price.per_hour);
        (instance, per_hour)
    });
    Ok(InstancesPage {
        instances: priced.collect(),
        currency: known.currency().to_owned(),
        pricing: known.pricing,
        regions: prices::regions(&mut connection).await?,
        frame: Frame::load(&mut connection, Section::Instances).await?,
        kind: filter.kind,
    })
}
