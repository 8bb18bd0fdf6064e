//! Which configuration is the cheapest, for programs.

use accelbench_core::cost::{DiscountFactor, OutputWeight};
use accelbench_core::dataset::Sha256Hex;
use accelbench_core::price::{Payment, PricingTier};
use accelbench_core::recommendation::{Lengths, Question, Recommendation};
use accelbench_core::result::Origin;
use accelbench_core::slo::{Limit, Slo};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::Parameters;
use crate::decision::{Asked, Evidence, Workload, decide};
use crate::error::ApiError;
use crate::pricing::Pricing;

#[derive(Debug, Deserialize, JsonSchema)]
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
    /// Mean lengths of the wanted workload; the nearest one that was measured answers.
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
}

/// The answer, and what it is about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecommendationAnswer")]
pub(crate) struct Answer {
    question: Question,
    region: String,
    #[serde(flatten)]
    tier: PricingTier,
    origin: Origin,
    /// Of which workload the results are; nothing without any, and for published ones.
    workload_sha256: Option<Sha256Hex>,
    /// The workload's mean lengths; nothing without results.
    lengths: Option<Lengths>,
    recommendation: Recommendation,
}

pub(crate) async fn show(
    State(app): State<App>,
    Parameters(parts): Parameters<Parts>,
) -> Result<Json<Answer>, ApiError> {
    let asked = parts.asked()?;
    let (question, pricing) = (asked.question.clone(), asked.pricing.clone());
    let decision = decide(&mut *app.connection().await?, asked).await?;
    Ok(Json(Answer {
        question,
        region: pricing.region,
        tier: pricing.tier,
        origin: decision.origin,
        workload_sha256: decision.workload_sha256,
        lengths: decision.lengths,
        recommendation: decision.recommendation,
    }))
}

/// A question from limits with commas between them.
pub(crate) fn question(slo: &str, requests_per_s: f64, weight: OutputWeight) -> Result<Question, ApiError> {
    let limits: Result<Vec<Limit>, _> = slo.split(',').map(|limit| limit.trim().parse()).collect();
    let slo = limits.and_then(Slo::new).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    if !(requests_per_s > 0.0 && requests_per_s <= 1e6) {
        return Err(ApiError::unprocessable("requests_per_s must be above 0 and at most 1000000"));
    }
    Ok(Question { slo, target_requests_per_s: requests_per_s, output_weight: weight })
}

impl Parts {
    fn asked(self) -> Result<Asked, ApiError> {
        let question = question(&self.slo, self.requests_per_s, self.output_weight.unwrap_or_default())?;
        let word = self.tier.as_deref().unwrap_or("on_demand");
        let tier = PricingTier::from_words(word, self.payment)
            .map_err(|error| ApiError::unprocessable(error.to_string()))?;
        let workload = match (self.workload_sha256, self.input_tokens, self.output_tokens) {
            (Some(workload), _, _) => Workload::Exactly(workload),
            (None, Some(input_tokens), Some(output_tokens)) if input_tokens > 0.0 && output_tokens > 0.0 => {
                Workload::Nearest(Lengths { input_tokens, output_tokens })
            }
            (None, None, None) => Workload::Newest,
            _ => {
                let detail = "input_tokens and output_tokens must be above 0 and come together";
                return Err(ApiError::unprocessable(detail));
            }
        };
        Ok(Asked {
            model: self.model,
            question,
            pricing: Pricing { region: self.region, tier, discount: self.discount },
            evidence: Evidence::Only(self.origin.unwrap_or(Origin::Measured)),
            workload,
        })
    }
}
