//! Rates of Compute Savings Plans, of one and three years and every payment option. This is the only place that talks to that
//! service.

use std::collections::BTreeSet;

use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Payment, Price, PricingTier, Term};
use anyhow::{anyhow, ensure};
use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_savingsplans::Client;
use aws_sdk_savingsplans::error::DisplayErrorContext;
use aws_sdk_savingsplans::types::{
    CurrencyCode, ParentSavingsPlanOffering, SavingsPlanOfferingRate, SavingsPlanOfferingRateFilterElement,
    SavingsPlanPaymentOption, SavingsPlanProductType, SavingsPlanRateFilterAttribute,
    SavingsPlanRateServiceCode, SavingsPlanRateUnit, SavingsPlanType,
};
use chrono::{DateTime, Utc};

use super::{PriceSource, currency_of};

/// What prices of this origin name as their source.
pub const SOURCE: &str = "AWS Savings Plans (DescribeSavingsPlansOfferingRates), Compute";

/// The service is one for all regions, and answers in this one.
const SERVICE_REGION: &str = "us-east-1";

const YEAR_S: i64 = 365 * 24 * 3600;

/// More pages than any answer has.
const MOST_PAGES: usize = 200;

/// Rates of savings plans.
#[derive(Debug, Clone)]
pub struct SavingsPlans {
    client: Client,
}

impl SavingsPlans {
    /// The service as the credentials of this process reach it.
    pub async fn from_environment() -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(SERVICE_REGION));
        Self { client: Client::new(&loader.load().await) }
    }

    /// The service behind a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// All rates of one family of instance types: those of all families at once would be too many.
    async fn rates(&self, region: &str, family: &str) -> anyhow::Result<Vec<SavingsPlanOfferingRate>> {
        let filters = [
            (SavingsPlanRateFilterAttribute::Region, region),
            (SavingsPlanRateFilterAttribute::InstanceFamily, family),
            (SavingsPlanRateFilterAttribute::ProductDescription, "Linux/UNIX"),
            (SavingsPlanRateFilterAttribute::Tenancy, "shared"),
        ];
        let filter =
            |(name, value)| SavingsPlanOfferingRateFilterElement::builder().name(name).values(value).build();
        let question = self
            .client
            .describe_savings_plans_offering_rates()
            .savings_plan_types(SavingsPlanType::Compute)
            .products(SavingsPlanProductType::Ec2)
            .service_codes(SavingsPlanRateServiceCode::Ec2)
            .set_filters(Some(filters.into_iter().map(filter).collect()));
        let (mut rates, mut token) = (Vec::new(), None);
        for _page in 0..MOST_PAGES {
            let page = question.clone().set_next_token(token.take()).send().await;
            let page = page.map_err(|error| anyhow!("{}", DisplayErrorContext(error)))?;
            rates.extend(page.search_results().iter().cloned());
            match page.next_token().filter(|next| !next.is_empty()) {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(rates),
            }
        }
        Err(anyhow!("the rates of {family} in {region} do not end"))
    }
}

#[async_trait]
impl PriceSource for SavingsPlans {
    fn name(&self) -> &'static str {
        SOURCE
    }

    fn permission(&self) -> &'static str {
        "savingsplans:DescribeSavingsPlansOfferingRates"
    }

    /// Rates that cannot be read are told in the log and left out.
    async fn prices(
        &self,
        region: &str,
        instance_types: &BTreeSet<InstanceTypeName>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<Price>> {
        let families: BTreeSet<&str> = instance_types.iter().map(InstanceTypeName::family).collect();
        let mut prices = Vec::new();
        for family in families {
            for rate in self.rates(region, family).await? {
                match read(&rate, region, now) {
                    Ok(price) if instance_types.contains(&price.instance_type) => prices.push(price),
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(region, error = format!("{error:#}"), "a rate cannot be read");
                    }
                }
            }
        }
        ensure!(!prices.is_empty(), "no savings plan covers any of our instance types in {region}");
        Ok(prices)
    }
}

fn read(rate: &SavingsPlanOfferingRate, region: &str, now: DateTime<Utc>) -> anyhow::Result<Price> {
    let missing = |what: &str| anyhow!("it has no {what}");
    let offering = rate.savings_plan_offering().ok_or_else(|| missing("offering"))?;
    let property = |name: &str| rate.properties().iter().find(|property| property.name() == Some(name));
    let instance_type = property("instanceType").and_then(|property| property.value());
    let instance_type = instance_type.ok_or_else(|| missing("instance type"))?.parse()?;
    ensure!(rate.unit() == Some(&SavingsPlanRateUnit::Hours), "it is not by the hour");
    let per_hour: f64 = rate.rate().ok_or_else(|| missing("rate"))?.parse()?;
    ensure!(per_hour.is_finite() && per_hour > 0.0, "{per_hour} an hour is no price");
    let (term, payment) = (term(offering)?, payment(offering)?);
    Ok(Price {
        instance_type,
        region: region.to_owned(),
        tier: PricingTier::SavingsPlan(term, payment),
        currency: offering.currency().map_or(currency_of(region), CurrencyCode::as_str).to_owned(),
        price: Observed::Value(HourlyPrice::savings_plan(term, payment, per_hour)),
        as_of: now,
        source: SOURCE.to_owned(),
    })
}

fn term(offering: &ParentSavingsPlanOffering) -> anyhow::Result<Term> {
    match offering.duration_seconds() / YEAR_S {
        1 => Ok(Term::OneYear),
        3 => Ok(Term::ThreeYears),
        _ => Err(anyhow!("a term of {} s is not known", offering.duration_seconds())),
    }
}

fn payment(offering: &ParentSavingsPlanOffering) -> anyhow::Result<Payment> {
    match offering.payment_option() {
        Some(SavingsPlanPaymentOption::NoUpfront) => Ok(Payment::NoUpfront),
        Some(SavingsPlanPaymentOption::PartialUpfront) => Ok(Payment::PartialUpfront),
        Some(SavingsPlanPaymentOption::AllUpfront) => Ok(Payment::AllUpfront),
        other => Err(anyhow!("the payment option {other:?} is not known")),
    }
}
