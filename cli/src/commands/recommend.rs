//! `accelbench recommend`: the cheapest configuration that keeps an SLO at a load.

use accelbench_core::recommendation::Recommendation;
use accelbench_core::slo::Limit;
use clap::Args;

use crate::completer;
use crate::session::Session;
use crate::settings::Key;
use crate::{known, output};

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct RecommendOptions {
    /// Hugging Face id of the model
    #[arg(long, add = completer::models())]
    model: String,
    /// Limit that latencies must keep, for instance ttft_p95_ms<=500; may be repeated
    #[arg(long, required = true, value_name = "LIMIT")]
    slo: Vec<Limit>,
    /// The load to bear, in requests per second
    #[arg(long, value_name = "PER_SECOND")]
    rate: f64,
    /// AWS region of the prices [default: that of the settings, or us-east-1]
    #[arg(long)]
    region: Option<String>,
    /// Pricing tier: on_demand, reserved_1_year, reserved_3_year, spot or capacity_block [default: that of the
    /// settings, or on_demand]
    #[arg(long)]
    tier: Option<String>,
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

pub(crate) async fn recommend(session: &Session, mut options: RecommendOptions) -> anyhow::Result<()> {
    options.region = session.settings.or(options.region.as_deref(), Key::Region);
    options.tier = session.settings.or(options.tier.as_deref(), Key::Tier);
    known::model(&session.client, &options.model).await?;
    let answer = session.client.recommendation(&parameters(&options)).await?;
    let recommendation: Recommendation = serde_json::from_value(answer["recommendation"].clone())?;
    if answer["origin"] == "simulated" {
        output::notice("note: these results are simulated and tell nothing of real hardware");
    }
    session.output.show(&answer, || told(&recommendation))?;
    if session.output.is_for_people() {
        suggest_runs(&recommendation);
    }
    Ok(())
}

fn parameters(options: &RecommendOptions) -> Vec<(&'static str, String)> {
    let slo: Vec<String> = options.slo.iter().map(ToString::to_string).collect();
    let optional = [
        ("region", options.region.clone()),
        ("tier", options.tier.clone()),
        ("payment", options.payment.clone()),
        ("discount", options.discount.map(|share| share.to_string())),
    ];
    let given = [
        ("model", options.model.clone()),
        ("slo", slo.join(",")),
        ("requests_per_s", options.rate.to_string()),
        ("origin", options.origin.clone()),
    ];
    let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.into_iter().chain(optional).collect()
}

fn told(recommendation: &Recommendation) -> String {
    let first = match recommendation {
        Recommendation::Found { choices, .. } => choices.first().map(ToString::to_string).unwrap_or_default(),
        Recommendation::NothingMeets { .. } => {
            "nothing that was measured keeps the SLO at this load".to_owned()
        }
        Recommendation::NotEnoughData { .. } => "what was measured does not suffice for an answer".to_owned(),
    };
    let losers = recommendation.losers();
    let losers = losers.into_iter().map(|it| format!("  {}: {}", it.configuration.instance_type, it.loss));
    std::iter::once(first).chain(losers).collect::<Vec<_>>().join("\n")
}

fn suggest_runs(recommendation: &Recommendation) {
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
