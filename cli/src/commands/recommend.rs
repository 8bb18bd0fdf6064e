//! `accelbench recommend`: the cheapest configuration that keeps an SLO at a load.

use accelbench_core::recommendation::Recommendation;
use accelbench_core::slo::Limit;
use clap::Args;
use serde_json::Value;

use crate::arguments::Format;
use crate::client::Client;
use crate::output;

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct RecommendOptions {
    /// Hugging Face id of the model
    #[arg(long)]
    model: String,
    /// Limit that latencies must keep, for instance ttft_p95_ms<=500; may be repeated
    #[arg(long, required = true, value_name = "LIMIT")]
    slo: Vec<Limit>,
    /// The load to bear, in requests per second
    #[arg(long, value_name = "PER_SECOND")]
    rate: f64,
    /// AWS region of the prices
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Pricing tier: on_demand, reserved_1_year, reserved_3_year, spot or capacity_block
    #[arg(long, default_value = "on_demand")]
    tier: String,
    /// Payment of a reserved tier: no_upfront, partial_upfront or all_upfront
    #[arg(long)]
    payment: Option<String>,
    /// The share of the list price that you pay, for instance 0.8
    #[arg(long, value_name = "SHARE")]
    discount: Option<f64>,
    /// Origin of the results; simulated ones tell nothing of real hardware
    #[arg(long, default_value = "measured")]
    origin: String,
}

pub(crate) async fn recommend(
    client: &Client,
    format: Format,
    options: RecommendOptions,
) -> anyhow::Result<()> {
    let answer = client.recommendation(&parameters(&options)).await?;
    if format == Format::Json {
        return output::json(&answer);
    }
    let recommendation: Recommendation = serde_json::from_value(answer["recommendation"].clone())?;
    tell(&recommendation, &answer);
    Ok(())
}

fn parameters(options: &RecommendOptions) -> Vec<(&'static str, String)> {
    let slo: Vec<String> = options.slo.iter().map(ToString::to_string).collect();
    let optional =
        [("payment", options.payment.clone()), ("discount", options.discount.map(|share| share.to_string()))];
    let given = [
        ("model", options.model.clone()),
        ("slo", slo.join(",")),
        ("requests_per_s", options.rate.to_string()),
        ("region", options.region.clone()),
        ("tier", options.tier.clone()),
        ("origin", options.origin.clone()),
    ];
    let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.into_iter().chain(optional).collect()
}

fn tell(recommendation: &Recommendation, answer: &Value) {
    if answer["origin"] == "simulated" {
        output::notice("note: these results are simulated and tell nothing of real hardware");
    }
    match recommendation {
        Recommendation::Found { choices, .. } => {
            for choice in choices.iter().take(1) {
                output::data(&choice.to_string());
            }
        }
        Recommendation::NothingMeets { .. } => {
            output::data("nothing that was measured keeps the SLO at this load");
        }
        Recommendation::NotEnoughData { .. } => {
            output::data("what was measured does not suffice for an answer");
        }
    }
    for loser in recommendation.losers() {
        output::data(&format!("  {}: {}", loser.configuration.instance_type, loser.loss));
    }
    if let Recommendation::NotEnoughData { to_run, .. } | Recommendation::Found { to_run, .. } =
        recommendation
    {
        for run in to_run {
            output::notice(&format!(
                "hint: a search on {} would tell more: accelbench run --model {} --instance {} --search concurrency --slo ...",
                run.configuration.instance_type, run.configuration.model, run.configuration.instance_type
            ));
        }
    }
}
