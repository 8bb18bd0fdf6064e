//! The answer to "what is the cheapest configuration that keeps this SLO at this load", from what was measured and what it
//! costs. Only results of one workload are held against each other, and the newest of each load point counts.

use accelbench_core::cost::{DiscountFactor, OutputWeight};
use accelbench_core::dataset::Sha256Hex;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Payment, PricingTier};
use accelbench_core::recommendation::{Candidate, Configuration, Point, Question, Recommendation, recommend};
use accelbench_core::result::{BenchmarkResult, Origin};
use accelbench_core::slo::{Limit, Slo};
use accelbench_store::prices;
use accelbench_store::results::{self, ResultFilter};
use axum::Json;
use axum::extract::State;
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;

/// Results that are looked at for one answer.
const MOST_RESULTS: i64 = 5000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parts {
    model: String,
    /// Limits with commas between them.
    slo: String,
    requests_per_s: f64,
    region: String,
    tier: Option<String>,
    payment: Option<Payment>,
    /// The share of the list price that is paid.
    discount: Option<DiscountFactor>,
    output_weight: Option<OutputWeight>,
    /// Measured, unless another is asked for.
    origin: Option<Origin>,
    workload_sha256: Option<Sha256Hex>,
}

/// The answer, and what it is about.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    question: Question,
    region: String,
    #[serde(flatten)]
    tier: PricingTier,
    origin: Origin,
    /// Of which workload the results are; nothing without any.
    workload_sha256: Option<Sha256Hex>,
    recommendation: Recommendation,
}

pub(crate) async fn show(
    State(app): State<App>,
    Parameters(parts): Parameters<Parts>,
) -> Result<Json<Answer>, ApiError> {
    let question = question(&parts)?;
    let tier = tier(&parts)?;
    let origin = parts.origin.unwrap_or(Origin::Measured);
    let filter = ResultFilter {
        model: Some(parts.model.clone()),
        origin: Some(origin),
        workload_sha256: parts.workload_sha256.as_ref().map(ToString::to_string),
        // What failed its checks is told as the reason why it is no answer.
        include_invalid: true,
        ..ResultFilter::default()
    };
    let mut connection = app.connection().await?;
    let results = results::list(&mut connection, &filter, MOST_RESULTS).await?;
    let prices = prices::list_at(&mut connection, &parts.region, tier, Utc::now()).await?;
    let discount = parts.discount.unwrap_or_default();
    let workload_sha256 =
        parts.workload_sha256.or_else(|| Some(results.first()?.provenance.workload_sha256.clone()));
    let price_of = |instance_type: &InstanceTypeName| prices.hourly(instance_type, discount);
    let candidates = candidates(&results, workload_sha256.as_ref(), price_of);
    let recommendation = recommend(&candidates, &question);
    Ok(Json(Answer { question, region: parts.region.clone(), tier, origin, workload_sha256, recommendation }))
}

fn question(parts: &Parts) -> Result<Question, ApiError> {
    let limits: Result<Vec<Limit>, _> = parts.slo.split(',').map(|limit| limit.trim().parse()).collect();
    let slo = limits.and_then(Slo::new).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    if !(parts.requests_per_s > 0.0 && parts.requests_per_s <= 1e6) {
        return Err(ApiError::unprocessable("requests_per_s must be above 0 and at most 1000000"));
    }
    Ok(Question {
        slo,
        target_requests_per_s: parts.requests_per_s,
        output_weight: parts.output_weight.unwrap_or_default(),
    })
}

fn tier(parts: &Parts) -> Result<PricingTier, ApiError> {
    let word = parts.tier.as_deref().unwrap_or("on_demand");
    PricingTier::from_words(word, parts.payment).map_err(|error| ApiError::unprocessable(error.to_string()))
}

/// The load curves of one workload; of several results of a load point the newest, which comes first, counts.
fn candidates(
    results: &[BenchmarkResult],
    workload: Option<&Sha256Hex>,
    price_of: impl Fn(&InstanceTypeName) -> Observed<HourlyPrice>,
) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for result in results.iter().filter(|result| Some(&result.provenance.workload_sha256) == workload) {
        let (configuration, point) = (configuration(result), Point::of(result));
        match candidates.iter_mut().find(|candidate| candidate.configuration == configuration) {
            Some(known) if known.points.iter().any(|it| it.offered_load == point.offered_load) => {}
            Some(known) => known.points.push(point),
            None => {
                let price = price_of(&configuration.instance_type);
                candidates.push(Candidate { configuration, points: vec![point], price });
            }
        }
    }
    candidates
}

fn configuration(result: &BenchmarkResult) -> Configuration {
    let provenance = &result.provenance;
    Configuration {
        model: provenance.model.clone(),
        revision: provenance.revision.clone(),
        instance_type: provenance.instance_type.clone(),
        quantization: provenance.quantization.clone(),
        tensor_parallel: provenance.tensor_parallel,
        engine: provenance.engine,
        engine_version: provenance.engine_version.clone(),
    }
}
