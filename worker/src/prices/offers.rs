//! Reads one product of the AWS Price List with its terms. What looks like a price and is none is left out: capacity
//! blocks and unused capacity at USD 0, convertible reservations, other systems, licences and tenancies.

use std::collections::HashMap;

use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Payment, Price, PricingTier, Term};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::price_list::SOURCE;

/// Why a product could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableOffer {
    /// It is not of the documented form.
    #[error("a product of the price list is not of the documented form")]
    Form(#[from] serde_json::Error),
    /// A number is none.
    #[error("`{amount}` in the offer {rate_code} is no price")]
    Amount {
        /// What stands there.
        amount: String,
        /// AWS's name for it.
        rate_code: String,
    },
}

#[derive(Deserialize)]
struct Item {
    product: Product,
    #[serde(default)]
    terms: Terms,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    attributes: HashMap<String, String>,
}

#[derive(Deserialize, Default)]
struct Terms {
    #[serde(rename = "OnDemand", default)]
    on_demand: HashMap<String, Offer>,
    #[serde(rename = "Reserved", default)]
    reserved: HashMap<String, Offer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    #[serde(default)]
    price_dimensions: HashMap<String, Dimension>,
    #[serde(default)]
    term_attributes: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dimension {
    #[serde(default)]
    unit: String,
    #[serde(default)]
    rate_code: String,
    #[serde(default)]
    price_per_unit: HashMap<String, String>,
}

/// What an offer asks for, in one currency.
struct Asked {
    currency: String,
    per_hour: f64,
    upfront: f64,
}

/// The prices in one product's JSON text, as of `now`; none for a product that is not a plain Linux instance.
///
/// # Errors
/// [`UnreadableOffer`].
pub fn read(text: &str, now: DateTime<Utc>) -> Result<Vec<Price>, UnreadableOffer> {
    let Item { product, terms } = serde_json::from_str(text)?;
    let Some((instance_type, region)) = plain_linux(&product.attributes) else { return Ok(Vec::new()) };
    let mut prices = Vec::new();
    let on_demand = terms.on_demand.values().map(|offer| (Some(PricingTier::OnDemand), offer));
    let reserved = terms.reserved.values().map(|offer| (reserved_tier(&offer.term_attributes), offer));
    for (tier, offer) in on_demand.chain(reserved) {
        let (Some(tier), Some(asked)) = (tier, offer.asked()?) else { continue };
        let price = match tier {
            PricingTier::Reserved(term, _) => HourlyPrice::reserved(term, asked.per_hour, asked.upfront),
            _ => HourlyPrice { per_hour: asked.per_hour, upfront: 0.0 },
        };
        // USD 0 is what stands beside capacity that is billed elsewhere.
        if price.per_hour > 0.0 {
            prices.push(Price {
                instance_type: instance_type.clone(),
                region: region.clone(),
                tier,
                currency: asked.currency,
                price: Observed::Value(price),
                as_of: now,
                source: SOURCE.to_owned(),
            });
        }
    }
    Ok(prices)
}

/// Instance type and region of a plain Linux instance. The service filters already; the bulk files and older answers do
/// not. Attributes that older offers lack must not be wrong where they stand.
fn plain_linux(attributes: &HashMap<String, String>) -> Option<(InstanceTypeName, String)> {
    let is = |name: &str, wanted: &[&str]| {
        attributes.get(name).is_some_and(|value| wanted.contains(&value.as_str()))
    };
    let is_or_lacks = |name: &str, wanted: &[&str]| !attributes.contains_key(name) || is(name, wanted);
    let plain = is("operatingSystem", &["Linux"])
        && is("tenancy", &["Shared"])
        && is("preInstalledSw", &["NA"])
        && is_or_lacks("capacitystatus", &["Used"])
        && is_or_lacks("marketoption", &["OnDemand"])
        && is_or_lacks("operation", &["RunInstances"])
        && is_or_lacks("licenseModel", &["No License required"]);
    let instance_type = attributes.get("instanceType")?.parse().ok()?;
    let region =
        attributes.get("regionCode").cloned().or_else(|| region_named(attributes.get("location")?))?;
    (plain && !region.is_empty()).then_some((instance_type, region))
}

/// Offers from before 2021 name the region in words only.
fn region_named(location: &str) -> Option<String> {
    let code = match location {
        "US East (N. Virginia)" => "us-east-1",
        "US East (Ohio)" => "us-east-2",
        "US West (N. California)" => "us-west-1",
        "US West (Oregon)" => "us-west-2",
        "EU (Ireland)" => "eu-west-1",
        "EU (Frankfurt)" => "eu-central-1",
        _ => return None,
    };
    Some(code.to_owned())
}

/// The tier of a standard reserved instance; convertible ones are another product.
fn reserved_tier(attributes: &HashMap<String, String>) -> Option<PricingTier> {
    let attribute = |name: &str| attributes.get(name).map(String::as_str);
    let term = match attribute("LeaseContractLength")? {
        "1yr" => Term::OneYear,
        "3yr" => Term::ThreeYears,
        _ => return None,
    };
    let payment = match attribute("PurchaseOption")? {
        "No Upfront" => Payment::NoUpfront,
        "Partial Upfront" => Payment::PartialUpfront,
        "All Upfront" => Payment::AllUpfront,
        _ => return None,
    };
    (attribute("OfferingClass") == Some("standard")).then_some(PricingTier::Reserved(term, payment))
}

impl Offer {
    /// What the offer asks for; `None` when it asks for nothing that is billed by the hour or in advance.
    fn asked(&self) -> Result<Option<Asked>, UnreadableOffer> {
        let mut asked: Option<Asked> = None;
        for dimension in self.price_dimensions.values() {
            let Some((currency, amount)) = dimension.price_per_unit.iter().next() else { continue };
            let amount: f64 =
                amount.parse().ok().filter(|it: &f64| it.is_finite() && *it >= 0.0).ok_or_else(|| {
                    UnreadableOffer::Amount { amount: amount.clone(), rate_code: dimension.rate_code.clone() }
                })?;
            let asked = asked.get_or_insert_with(|| Asked {
                currency: currency.clone(),
                per_hour: 0.0,
                upfront: 0.0,
            });
            match dimension.unit.as_str() {
                "Hrs" | "Hours" => asked.per_hour += amount,
                "Quantity" => asked.upfront += amount,
                _ => {}
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests;
