//! One instance type: its accelerators, its prices by tier with their age, what fits it and what is known of its speed.

use accelbench_core::fit::{Demand, Fit, KvCachePrecision, ModelFacts, smallest_tensor_parallel};
use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::model::{Model, Quantization};
use accelbench_core::result::Origin;
use accelbench_store::imported::{self, ImportFilter};
use accelbench_store::prices::{self, KnownPrice, PriceFilter};
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{PgConnection, instances, models};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State};

use super::frame::{Frame, Section};
use super::readings::Readings;
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;
use crate::pricing::{PriceParts, Pricing};
use crate::reading::Reading;

/// Readings that are looked at for one page.
const MOST_READINGS: i64 = 2000;

#[derive(Template, WebTemplate)]
#[template(path = "instances/show.html")]
pub(crate) struct InstancePage {
    frame: Frame,
    instance: InstanceType,
    pricing: Pricing,
    regions: Vec<String>,
    prices: Vec<KnownPrice>,
    readings: Readings,
    /// How many models there are facts of, and those that fit, with the largest precision that does.
    models: usize,
    fitting: Vec<(Model, Quantization, u32)>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    Parameters(parts): Parameters<PriceParts>,
) -> Result<InstancePage, ApiError> {
    let mut connection = app.connection().await?;
    let instance = find(&mut connection, &name).await?;
    let list = parts.pricing()?.load(&mut connection).await?;
    let region = PriceFilter {
        instance_type: Some(instance.instance_type.as_str()),
        region: Some(&list.pricing.region),
        tier: None,
    };
    let known = models::list(&mut connection, None, 5000).await?;
    Ok(InstancePage {
        frame: Frame::load(&mut connection, Section::Instances).await?,
        regions: prices::regions(&mut connection).await?,
        prices: prices::newest(&mut connection, &region).await?,
        pricing: list.pricing.clone(),
        readings: Readings::cheapest(readings(&mut connection, &instance.instance_type).await?, &list),
        models: known.len(),
        fitting: known.into_iter().filter_map(|model| fitting(model, &instance)).collect(),
        instance,
    })
}

async fn find(connection: &mut PgConnection, name: &str) -> Result<InstanceType, ApiError> {
    let found = match name.parse() {
        Ok(name) => instances::find(connection, &name).await,
        Err(_invalid) => {
            Err(accelbench_store::Error::NotFound { what: "instance type", name: name.to_owned() })
        }
    };
    match found {
        Err(accelbench_store::Error::NotFound { .. }) => {
            let names = instances::names(connection).await?;
            Err(ApiError::not_found("instance type", name).suggest(name, &names))
        }
        found => Ok(found?),
    }
}

async fn readings(
    connection: &mut PgConnection,
    instance_type: &InstanceTypeName,
) -> Result<Vec<Reading>, ApiError> {
    let name = Some(instance_type.to_string());
    let filter = ResultFilter {
        instance_type: name.clone(),
        origin: Some(Origin::Measured),
        ..ResultFilter::default()
    };
    let measured = results::list(connection, &filter, MOST_READINGS).await?;
    let filter = ImportFilter { instance_type: name, ..ImportFilter::default() };
    let published = imported::list(connection, &filter, MOST_READINGS).await?;
    Ok(measured.iter().map(Reading::from).chain(published.iter().map(Reading::from)).collect())
}

/// The model with the first precision in which it fits, and over how many accelerators.
fn fitting(model: Model, instance: &InstanceType) -> Option<(Model, Quantization, u32)> {
    let facts = ModelFacts::from(&model);
    let tried = [Quantization::Bf16, Quantization::Fp8, Quantization::Int4];
    let fits = tried.into_iter().find_map(|quantization| {
        let demand =
            Demand { quantization, kv_cache: KvCachePrecision::Bf16, context_tokens: 8192, sequences: 16 };
        match smallest_tensor_parallel(&facts, instance, &demand) {
            Fit::Fits(room) => Some((quantization, room.split.tensor_parallel)),
            Fit::DoesNotFit(_) | Fit::Unknown { .. } => None,
        }
    });
    fits.map(|(quantization, degree)| (model, quantization, degree))
}
