//! `accelbench cost`: what serving costs, by the formulas that the catalog uses, from a result or from numbers of
//! somebody's own. Only a result of the server is asked for; everything else is reckoned here.

use std::path::Path;

use accelbench_core::cost::{
    Costs, DiscountFactor, MonthlyProjection, OutputWeight, Throughput, monthly_projection,
};
use accelbench_core::observed::Observed;
use accelbench_core::price::HourlyPrice;
use accelbench_core::result::BenchmarkResult;
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::completer;
use crate::exit::Failure;
use crate::judgement::read_reports;
use crate::session::Session;
use crate::settings::Key;
use crate::tables;

/// What is reckoned.
#[derive(Debug, Args)]
pub(crate) struct CostOptions {
    /// A result of the server, or a file that `bench -o json` wrote [default: the numbers given with flags]
    #[arg(value_name = "RESULT|FILE", add = completer::results(),
        conflicts_with_all = ["output_tokens_per_s", "input_tokens_per_s", "requests_per_s"])]
    source: Option<String>,
    /// What an hour of the instance costs [default: the price of a result's instance type]
    #[arg(long, value_name = "USD")]
    price_per_hour: Option<f64>,
    /// Output tokens that it makes in a second
    #[arg(long, value_name = "TOKENS", default_value_t = 0.0)]
    output_tokens_per_s: f64,
    /// Input tokens that it takes in a second
    #[arg(long, value_name = "TOKENS", default_value_t = 0.0)]
    input_tokens_per_s: f64,
    /// Requests that it completes in a second
    #[arg(long, value_name = "REQUESTS", default_value_t = 0.0)]
    requests_per_s: f64,
    /// How many input tokens one output token weighs when the hour is shared
    #[arg(long, default_value_t = 4.0, value_name = "WEIGHT")]
    output_weight: f64,
    /// The share of the list price that you pay, for instance 0.8
    #[arg(long, value_name = "SHARE")]
    discount: Option<DiscountFactor>,
    /// Requests a second that are to be borne: adds what a month costs
    #[arg(long, value_name = "PER_SECOND")]
    target_rate: Option<f64>,
    /// Pricing tier of a result's price [default: that of the settings, or on_demand]
    #[arg(long)]
    tier: Option<String>,
    /// AWS region of a result's price [default: that of the settings, or us-east-1]
    #[arg(long)]
    region: Option<String>,
}

/// What one load costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reckoned {
    /// The load, where there is one.
    pub(crate) load: Option<String>,
    pub(crate) throughput: Throughput,
    pub(crate) costs: Costs,
    /// A month at the target rate.
    pub(crate) month: Option<MonthlyProjection>,
}

pub(crate) async fn cost(session: &Session, options: CostOptions) -> anyhow::Result<()> {
    let weight = OutputWeight::new(options.output_weight).map_err(|error| usage(&error.to_string()))?;
    let given = options.price_per_hour.map(|per_hour| HourlyPrice { per_hour, upfront: 0.0 });
    let (loads, price) = match &options.source {
        None => (vec![(None, numbers(&options)?)], given.map(Observed::Value)),
        Some(id) if Uuid::parse_str(id).is_ok() => {
            let (load, price) = of_result(session, &options, id).await?;
            (vec![load], Some(given.map_or(price, Observed::Value)))
        }
        Some(file) => {
            let reports = read_reports(Path::new(file))?;
            let load = |report| Throughput::of(report);
            let loads = reports.iter().map(|report| (Some(report.offered_load.to_string()), load(report)));
            (loads.collect(), given.map(Observed::Value))
        }
    };
    let Some(price) = price else { return Err(usage("it takes a price: give --price-per-hour USD").into()) };
    let price = price.map(|price| options.discount.unwrap_or_default().apply(price));
    let reckoned: anyhow::Result<Vec<Reckoned>> =
        loads.into_iter().map(|load| reckon(load, &price, weight, options.target_rate)).collect();
    let reckoned = reckoned?;
    session.output.show(&reckoned, || tables::cost::reckoned(&reckoned))
}

/// Every cost of a load, and of a month if a rate is to be borne.
pub(crate) fn reckon(
    (load, throughput): (Option<String>, Throughput),
    price: &Observed<HourlyPrice>,
    weight: OutputWeight,
    target_rate: Option<f64>,
) -> anyhow::Result<Reckoned> {
    let month = target_rate.map(|target| monthly_projection(price, throughput.requests_per_s, target));
    let month = month.transpose().map_err(|error| usage(&error.to_string()))?;
    Ok(Reckoned { load, throughput, costs: Costs::of(price, &throughput, weight), month })
}

fn numbers(options: &CostOptions) -> anyhow::Result<Throughput> {
    let throughput = Throughput {
        input_tokens_per_s: options.input_tokens_per_s,
        output_tokens_per_s: options.output_tokens_per_s,
        requests_per_s: options.requests_per_s,
    };
    let numbers = [throughput.input_tokens_per_s, throughput.output_tokens_per_s, throughput.requests_per_s];
    if numbers.iter().all(|number| *number >= 0.0) && numbers.iter().any(|number| *number > 0.0) {
        return Ok(throughput);
    }
    Err(usage("it takes a throughput: give --output-tokens-per-s, --input-tokens-per-s or --requests-per-s")
        .into())
}

async fn of_result(
    session: &Session,
    options: &CostOptions,
    id: &str,
) -> anyhow::Result<((Option<String>, Throughput), Observed<HourlyPrice>)> {
    let region = session.settings.or(options.region.as_deref(), Key::Region);
    let tier = session.settings.or(options.tier.as_deref(), Key::Tier).unwrap_or_default();
    let query: Vec<_> = region.map(|region| ("region", region)).into_iter().collect();
    let mut answer = session.client.get(&format!("results/{id}"), &query).await?;
    let tiers = answer["costs"].as_array_mut().into_iter().flatten();
    let price = match tiers.into_iter().find(|costs| costs["tier"] == tier.as_str()) {
        Some(costs) => serde_json::from_value(costs["price"].take())?,
        None => Observed::absent(format!("there is no pricing tier `{tier}`")),
    };
    let result: BenchmarkResult = serde_json::from_value(answer)?;
    Ok(((Some(result.offered_load.to_string()), Throughput::of(&result.report)), price))
}

fn usage(message: &str) -> Failure {
    Failure::Usage {
        message: message.to_owned(),
        hint: Some("`accelbench cost --help` has examples".to_owned()),
    }
}
