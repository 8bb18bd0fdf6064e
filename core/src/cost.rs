//! What serving costs: every formula that turns an hourly price and a measured throughput into money, and no other
//! place has one. The money is in the price's own currency. A cost that cannot be known is absent with its reason,
//! never 0; a price counts the whole instance, however many of its accelerators served.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::LoadReport;
use crate::observed::Observed;
use crate::price::HourlyPrice;

mod blend;
mod discount;
mod projection;

pub use blend::{BlendedCost, InvalidOutputWeight, OutputWeight};
pub use discount::{DiscountFactor, InvalidDiscountFactor};
pub use projection::{MonthlyProjection, ProjectionRefused, monthly_projection};

/// Seconds of an hour.
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Tokens for which costs are stated.
const MILLION: f64 = 1e6;

/// What one instance does in a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throughput {
    /// Input tokens of all requests together, per second.
    pub input_tokens_per_s: f64,
    /// Output tokens of all requests together, per second.
    pub output_tokens_per_s: f64,
    /// Completed requests per second.
    pub requests_per_s: f64,
}

/// The costs of PRD section 5.1 for one pricing tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Costs {
    /// What an hour of the instance costs.
    pub instance_per_hour: Observed<f64>,
    /// What a million input tokens cost if the whole hour is charged to them.
    pub per_million_input_tokens: Observed<f64>,
    /// What a million output tokens cost if the whole hour is charged to them.
    pub per_million_output_tokens: Observed<f64>,
    /// Both with the hour split between them; only these two may be added up.
    pub blended: Observed<BlendedCost>,
    /// What one request costs.
    pub per_request: Observed<f64>,
}

impl Throughput {
    /// The throughput of a load point.
    #[must_use]
    pub fn of(report: &LoadReport) -> Self {
        Self {
            input_tokens_per_s: report.input_tokens_per_s,
            output_tokens_per_s: report.output_tokens_per_s,
            requests_per_s: report.requests_per_s,
        }
    }
}

impl Costs {
    /// Every cost at a price and a throughput.
    #[must_use]
    pub fn of(price: &Observed<HourlyPrice>, throughput: &Throughput, weight: OutputWeight) -> Self {
        Self {
            instance_per_hour: hourly(price),
            per_million_input_tokens: per_million_input_tokens(price, throughput.input_tokens_per_s),
            per_million_output_tokens: per_million_output_tokens(price, throughput.output_tokens_per_s),
            blended: BlendedCost::of(price, throughput, weight),
            per_request: per_request(price, throughput.requests_per_s),
        }
    }
}

/// Cost per 1M input tokens: (price per hour / input tokens per second / 3600) x 1,000,000. It charges the whole hour
/// to the input; with [`per_million_output_tokens`] it counts the hour twice, so that the two must not be added.
#[must_use]
pub fn per_million_input_tokens(price: &Observed<HourlyPrice>, input_tokens_per_s: f64) -> Observed<f64> {
    per_unit(price, input_tokens_per_s, "input tokens").map(|cost| cost * MILLION)
}

/// Cost per 1M output tokens: (price per hour / output tokens per second / 3600) x 1,000,000. It charges the whole
/// hour to the output; see [`BlendedCost`] for the hour split between both.
#[must_use]
pub fn per_million_output_tokens(price: &Observed<HourlyPrice>, output_tokens_per_s: f64) -> Observed<f64> {
    per_unit(price, output_tokens_per_s, "output tokens").map(|cost| cost * MILLION)
}

/// Cost per request: price per hour / requests per second / 3600.
#[must_use]
pub fn per_request(price: &Observed<HourlyPrice>, requests_per_s: f64) -> Observed<f64> {
    per_unit(price, requests_per_s, "requests")
}

/// Cost of keeping an instance for some seconds, as a run does: price per hour x seconds / 3600.
#[must_use]
pub fn of_run(price: &Observed<HourlyPrice>, instance_s: f64) -> Observed<f64> {
    if !(instance_s.is_finite() && instance_s >= 0.0) {
        return Observed::absent("it is not known for how long the instance was kept");
    }
    hourly(price).map(|per_hour| per_hour * instance_s / SECONDS_PER_HOUR)
}

/// Cost of one of what the instance does `per_s` times a second.
fn per_unit(price: &Observed<HourlyPrice>, per_s: f64, units: &str) -> Observed<f64> {
    if !(per_s.is_finite() && per_s > 0.0) {
        return Observed::absent(format!("no {units} per second were measured"));
    }
    // So few a second that the cost is beyond all numbers are as good as none.
    let cost = hourly(price).map(|per_hour| per_hour / per_s / SECONDS_PER_HOUR);
    match cost {
        Observed::Value(cost) if !(cost * MILLION).is_finite() => {
            Observed::absent(format!("too few {units} per second were measured"))
        }
        cost => cost,
    }
}

/// The price of an hour, unless it is no price.
fn hourly(price: &Observed<HourlyPrice>) -> Observed<f64> {
    match price {
        Observed::Value(price) if price.per_hour.is_finite() && price.per_hour > 0.0 => {
            Observed::Value(price.per_hour)
        }
        Observed::Value(price) => {
            Observed::absent(format!("{} an hour is no price; refresh the prices", price.per_hour))
        }
        Observed::Absent(reason) => Observed::Absent(reason.clone()),
    }
}

#[cfg(test)]
mod tests;
