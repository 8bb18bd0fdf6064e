//! One model: its facts, how fast and how dear it is on each machine, and where it fits.

use accelbench_core::fit::{Demand, Fit, KvCachePrecision, ModelFacts, smallest_tensor_parallel};
use accelbench_core::instance::InstanceType;
use accelbench_core::model::{Model, ModelId, Quantization};
use accelbench_core::result::Origin;
use accelbench_store::imported::{self, ImportFilter};
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{PgConnection, instances, models, prices};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::frame::{Frame, Section};
use super::readings::{Readings, by_workload};
use crate::app::App;
use crate::body::Parameters;
use crate::chart::Chart;
use crate::error::ApiError;
use crate::frontier;
use crate::html as filters;
use crate::pricing::{PriceParts, Pricing};
use crate::reading::Reading;

/// Readings that are looked at for one page.
const MOST_READINGS: i64 = 2000;

/// Contexts and sequences that a fit is asked for.
const DEMAND: (u32, u32) = (8192, 16);

#[derive(Template, WebTemplate)]
#[template(path = "models/show.html")]
pub(crate) struct ModelPage {
    frame: Frame,
    model: Model,
    pricing: Pricing,
    regions: Vec<String>,
    workloads: Vec<(String, usize)>,
    workload: Option<String>,
    charts: Vec<Chart>,
    readings: Readings,
    fits: Vec<(InstanceType, Fit)>,
    quantization: Quantization,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ModelParts {
    /// The workload whose readings are shown; the one with most of them otherwise.
    workload: Option<String>,
    quantization: Option<Quantization>,
    #[serde(flatten)]
    pricing: PriceParts,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    Parameters(parts): Parameters<ModelParts>,
) -> Result<ModelPage, ApiError> {
    let mut connection = app.connection().await?;
    let model = find(&mut connection, &name).await?;
    let all = readings(&mut connection, &model.model).await?;
    let workloads = by_workload(&all);
    let workload = parts.workload.clone().or_else(|| workloads.first().map(|(workload, _)| workload.clone()));
    let shown: Vec<Reading> =
        all.into_iter().filter(|reading| Some(&reading.workload) == workload.as_ref()).collect();
    let prices = parts.pricing.pricing()?.load(&mut connection).await?;
    let quantization = parts.quantization.unwrap_or(Quantization::Bf16);
    Ok(ModelPage {
        frame: Frame::load(&mut connection, Section::Models).await?,
        regions: prices::regions(&mut connection).await?,
        fits: fits(&model, &instances::list(&mut connection).await?, quantization),
        charts: [frontier::throughput(&shown), frontier::cost(&shown, &prices)]
            .into_iter()
            .flatten()
            .collect(),
        pricing: prices.pricing.clone(),
        readings: Readings::cheapest(shown, &prices),
        model,
        workloads,
        workload,
        quantization,
    })
}

async fn find(connection: &mut PgConnection, name: &str) -> Result<Model, ApiError> {
    let unknown = || ApiError::not_found("model", name);
    let id: ModelId = name.parse().map_err(|_invalid| unknown())?;
    match models::find(connection, &id).await {
        Err(accelbench_store::Error::NotFound { .. }) => {
            let names = models::names(connection).await?;
            Err(unknown().with_hint("the list of models has a search").suggest(name, &names))
        }
        found => Ok(found?),
    }
}

/// What was measured here, and what others published of serving it.
async fn readings(connection: &mut PgConnection, model: &ModelId) -> Result<Vec<Reading>, ApiError> {
    let filter = ResultFilter {
        model: Some(model.to_string()),
        origin: Some(Origin::Measured),
        ..ResultFilter::default()
    };
    let measured = results::list(connection, &filter, MOST_READINGS).await?;
    let filter = ImportFilter { model: Some(model.to_string()), ..ImportFilter::default() };
    let published = imported::list(connection, &filter, MOST_READINGS).await?;
    Ok(measured.iter().map(Reading::from).chain(published.iter().map(Reading::from)).collect())
}

fn fits(model: &Model, instances: &[InstanceType], quantization: Quantization) -> Vec<(InstanceType, Fit)> {
    let facts = ModelFacts::from(model);
    let (context_tokens, sequences) = DEMAND;
    let demand = Demand { quantization, kv_cache: KvCachePrecision::Bf16, context_tokens, sequences };
    let real = instances.iter().filter(|instance| instance.instance_type.is_aws());
    real.map(|instance| (instance.clone(), smallest_tensor_parallel(&facts, instance, &demand))).collect()
}
