//! Whether a deployment fits, and which instance types would do where it does not: of those whose price is known the
//! cheapest.

use accelbench_core::engine::profile::{DeploymentPlan, DeploymentRequest, Unsupported, choose};
use accelbench_core::estimate::HourlyUsd;
use accelbench_core::fit::Room;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::model::Quantization;
use accelbench_core::observed::Observed;
use accelbench_store::prices::{self, PriceFilter};
use accelbench_store::{PgConnection, instances};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::ApiError;

/// How many instance types are named.
const MOST_ALTERNATIVES: usize = 3;

/// How a model would be deployed, without what only the cluster needs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Deployment {
    /// Widths of weights and activations, and the method.
    pub(crate) precision: String,
    pub(crate) quantization: Quantization,
    pub(crate) tensor_parallel: u32,
    pub(crate) replicas: u32,
    pub(crate) chips_used: u32,
    pub(crate) chips: u32,
    /// Most requests that one replica computes at once.
    pub(crate) max_sequences: u32,
    /// What lies where on each accelerator or core; nothing where the size of the model's cache is not known.
    pub(crate) room: Option<Room>,
    /// The same in words.
    pub(crate) sentence: String,
}

/// An instance type on which it would fit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Elsewhere {
    pub(crate) instance_type: InstanceTypeName,
    /// The degree at which it would be split.
    pub(crate) tensor_parallel: u32,
    /// On demand, in the cluster's region.
    pub(crate) usd_per_hour: f64,
    /// When the price was last confirmed.
    pub(crate) price_confirmed_at: DateTime<Utc>,
}

/// The plan, or the refusal with where it would fit.
pub(crate) async fn plan(
    connection: &mut PgConnection,
    request: &DeploymentRequest<'_>,
    region: &str,
) -> Result<DeploymentPlan, ApiError> {
    match choose(request) {
        Ok(plan) => Ok(plan),
        Err(unsupported) => {
            let error = ApiError::unprocessable(unsupported.to_string());
            let elsewhere = elsewhere(connection, request, &unsupported, region).await?;
            Err(match words(&elsewhere) {
                Some(hint) => error.with_hint(hint),
                None => error,
            })
        }
    }
}

/// The cheapest instance types on which it would fit; none where the instance type is not what is wrong.
pub(crate) async fn elsewhere(
    connection: &mut PgConnection,
    request: &DeploymentRequest<'_>,
    unsupported: &Unsupported,
    region: &str,
) -> Result<Vec<Elsewhere>, ApiError> {
    if !matches!(unsupported, Unsupported::DoesNotFit { .. } | Unsupported::Accelerator(_)) {
        return Ok(Vec::new());
    }
    let filter = PriceFilter { region: Some(region), tier: Some("on_demand"), instance_type: None };
    let instances = instances::list(connection).await?;
    let mut found = Vec::new();
    for known in prices::newest(connection, &filter).await? {
        let instance = instances.iter().find(|instance| instance.instance_type == known.price.instance_type);
        let price = HourlyUsd::from(&known.price);
        let (Some(instance), Observed::Value(price)) = (instance, price) else { continue };
        if let Ok(plan) = choose(&DeploymentRequest { instance, tensor_parallel: None, ..request.clone() }) {
            found.push(Elsewhere {
                instance_type: known.price.instance_type,
                tensor_parallel: plan.parallelism.tensor_parallel,
                usd_per_hour: price.per_hour,
                price_confirmed_at: known.confirmed_at,
            });
        }
    }
    found.sort_by(|a, b| a.usd_per_hour.total_cmp(&b.usd_per_hour));
    found.truncate(MOST_ALTERNATIVES);
    Ok(found)
}

fn words(elsewhere: &[Elsewhere]) -> Option<String> {
    let each = elsewhere.iter().map(|it| {
        let Elsewhere { instance_type, tensor_parallel, usd_per_hour, .. } = it;
        format!("{instance_type} at tensor parallel {tensor_parallel} ({usd_per_hour:.2} USD an hour)")
    });
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("it fits {}", each.join(", or ")))
}

impl From<&DeploymentPlan> for Deployment {
    fn from(plan: &DeploymentPlan) -> Self {
        let parallelism = plan.parallelism;
        let sentence = match plan.room {
            Some(room) => format!("{room}; {parallelism}"),
            None => format!(
                "the weights fit at tensor parallel {}, with a fifth of their size for a cache whose size is not known; \
                 {parallelism}",
                parallelism.tensor_parallel
            ),
        };
        Self {
            precision: plan.precision.label.clone(),
            quantization: plan.precision.quantization,
            tensor_parallel: parallelism.tensor_parallel,
            replicas: parallelism.data_parallel,
            chips_used: parallelism.chips_used,
            chips: parallelism.chips,
            max_sequences: plan.max_sequences,
            room: plan.room,
            sentence,
        }
    }
}
