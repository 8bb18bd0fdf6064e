//! One result that others published: every number that they gave, what to know before believing it, and what it would cost.

use accelbench_core::cost::Throughput;
use accelbench_store::imported::{self, StoredImport};
use accelbench_store::prices;
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State};

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;
use crate::pricing::{PriceParts, Pricing};
use crate::reading::Reading;
use crate::tier_costs::{CostParameters, TierCosts, of_known_tiers};

#[derive(Template, WebTemplate)]
#[template(path = "published/show.html")]
pub(crate) struct PublishedPage {
    frame: Frame,
    stored: StoredImport,
    reading: Reading,
    pricing: Pricing,
    regions: Vec<String>,
    tiers: Vec<TierCosts>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Parameters(parts): Parameters<PriceParts>,
) -> Result<PublishedPage, ApiError> {
    let unknown = |_| ApiError::not_found("published result", &id);
    let mut connection = app.connection().await?;
    let stored = imported::find(&mut connection, &id.parse().map_err(unknown)?).await?;
    let reading = Reading::from(&stored);
    let pricing = parts.pricing()?;
    let rate = |name: &str| reading.metric(name).unwrap_or(0.0);
    let throughput = Throughput {
        input_tokens_per_s: rate("input_tokens_per_s"),
        output_tokens_per_s: rate("output_tokens_per_s"),
        requests_per_s: rate("requests_per_s"),
    };
    let tiers = match &reading.instance_type {
        Some(instance_type) => {
            let region = CostParameters::of_region(&pricing.region);
            of_known_tiers(&mut connection, instance_type, &throughput, &region).await?
        }
        None => Vec::new(),
    };
    Ok(PublishedPage {
        frame: Frame::load(&mut connection, Section::Catalog).await?,
        regions: prices::regions(&mut connection).await?,
        stored,
        reading,
        pricing,
        tiers,
    })
}
