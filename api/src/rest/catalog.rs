//! The catalog: the current, valid result of each configuration, in any order and at any prices. Simulated results are
//! shown only when they are asked for by name, and what others published is another list.

use std::collections::BTreeMap;

use accelbench_core::catalog::{CatalogItem, CostKind, Cursor, Direction, Order, SortKey};
use accelbench_core::cost::{DiscountFactor, OutputWeight};
use accelbench_core::engine::EngineKind;
use accelbench_core::instance::{AcceleratorKind, AcceleratorVendor};
use accelbench_core::model::Quantization;
use accelbench_core::price::Payment;
use accelbench_core::result::Origin;
use accelbench_core::slo::{InvalidSlo, Limit, Slo};
use accelbench_store::catalog::{self, CatalogFilter, CatalogPage, CatalogQuery, Pricing};
use accelbench_store::prices::KnownPrice;
use axum::extract::State;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::rest::conditional::{Tagged, tag};
use crate::rest::paging;
use crate::rest::pricing::PricingParameters;

/// Results on a page, unless another number is asked for.
const LIMIT: u32 = 50;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogParameters {
    model: Option<String>,
    revision: Option<String>,
    model_family: Option<String>,
    min_params_b: Option<f64>,
    max_params_b: Option<f64>,
    instance_type: Option<String>,
    instance_family: Option<String>,
    accelerator_name: Option<String>,
    accelerator_kind: Option<AcceleratorKind>,
    accelerator_vendor: Option<AcceleratorVendor>,
    engine: Option<EngineKind>,
    engine_version: Option<String>,
    quantization: Option<Quantization>,
    origin: Option<Origin>,
    concurrency: Option<i32>,
    submitted_by: Option<String>,
    workload_sha256: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    /// Limits with commas between them.
    slo: Option<String>,
    sort: Option<SortKey>,
    direction: Option<Direction>,
    region: Option<String>,
    tier: Option<String>,
    payment: Option<Payment>,
    discount: Option<DiscountFactor>,
    output_weight: Option<OutputWeight>,
    priced_at: Option<DateTime<Utc>>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A page, and what its costs mean.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CatalogAnswer {
    items: Vec<CatalogItem>,
    /// What to give as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    pricing: Pricing,
    /// The list prices behind the costs; `confirmed_at` tells their age.
    prices: Vec<KnownPrice>,
    formulas: BTreeMap<&'static str, &'static str>,
}

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(parameters): Parameters<CatalogParameters>,
) -> Result<Tagged<CatalogAnswer>, ApiError> {
    let query = CatalogQuery::try_from(parameters)?;
    let page = catalog::list(&mut *app.reading_connection().await?, &query).await?;
    // The moment of asking is in the answer and in its cursor, and changes nothing.
    let said = serde_json::to_vec(&(&page.items, &page.prices, page.next.is_some())).unwrap_or_default();
    Ok(Tagged { tag: tag(&said), answer: CatalogAnswer::of(page, query.pricing) })
}

impl CatalogAnswer {
    pub(crate) fn of(page: CatalogPage, pricing: Pricing) -> Self {
        Self {
            items: page.items,
            next_cursor: page.next.map(|cursor| cursor.to_string()),
            pricing: Pricing { priced_at: Some(page.priced_at), ..pricing },
            prices: page.prices,
            formulas: CostKind::ALL.into_iter().map(|kind| (kind.as_str(), kind.formula())).collect(),
        }
    }
}

impl TryFrom<CatalogParameters> for CatalogQuery {
    type Error = ApiError;

    fn try_from(mut parameters: CatalogParameters) -> Result<Self, ApiError> {
        let order = parameters.order();
        let limit = paging::limit(parameters.limit, LIMIT)?;
        let pricing = parameters.take_pricing().try_into()?;
        let cursor = parameters.cursor.take();
        let query = Self::new(parameters.try_into()?, order, pricing, limit);
        let Some(cursor) = cursor else { return Ok(query) };
        let cursor: Result<Cursor, _> = cursor.parse();
        cursor
            .and_then(|cursor| query.after(cursor))
            .map_err(|error| ApiError::bad_request(error.to_string()))
    }
}

impl CatalogParameters {
    fn order(&self) -> Order {
        let usual = Order::by(self.sort.unwrap_or(SortKey::RecordedAt));
        Order { direction: self.direction.unwrap_or(usual.direction), ..usual }
    }

    fn take_pricing(&mut self) -> PricingParameters {
        PricingParameters {
            region: self.region.take(),
            tier: self.tier.take(),
            payment: self.payment,
            discount: self.discount,
            output_weight: self.output_weight,
            priced_at: self.priced_at,
        }
    }
}

impl TryFrom<CatalogParameters> for CatalogFilter {
    type Error = ApiError;

    fn try_from(parameters: CatalogParameters) -> Result<Self, ApiError> {
        let origin = parameters.origin.unwrap_or(Origin::Measured);
        if origin == Origin::Imported {
            let error = ApiError::bad_request("the catalog holds what was measured here, or simulated");
            return Err(error.with_hint("/api/v1/imported-results lists what others published"));
        }
        Ok(Self {
            origin,
            model: parameters.model,
            model_search: None,
            revision: parameters.revision,
            model_family: parameters.model_family,
            min_params_b: parameters.min_params_b,
            max_params_b: parameters.max_params_b,
            instance_type: parameters.instance_type,
            instance_family: parameters.instance_family,
            accelerator_name: parameters.accelerator_name,
            accelerator_kind: parameters.accelerator_kind,
            accelerator_vendor: parameters.accelerator_vendor,
            engine: parameters.engine,
            engine_version: parameters.engine_version,
            quantization: parameters.quantization,
            workload_sha256: parameters.workload_sha256,
            concurrency: parameters.concurrency,
            submitted_by: parameters.submitted_by,
            since: parameters.since,
            until: parameters.until,
            slo: parameters.slo.as_deref().map(slo).transpose()?,
        })
    }
}

fn slo(text: &str) -> Result<Slo, ApiError> {
    let limits: Result<Vec<Limit>, InvalidSlo> = text.split(',').map(|limit| limit.trim().parse()).collect();
    limits.and_then(Slo::new).map_err(|error| ApiError::bad_request(error.to_string()))
}
