//! `accelbench query`: looks results up.

use accelbench_core::catalog::{CatalogItem, Direction, SortKey};
use accelbench_core::cost::DiscountFactor;
use accelbench_core::slo::Limit;
use anyhow::bail;
use clap::Args;

use crate::client::Client;
use crate::completer;
use crate::session::Session;
use crate::settings::{Key, Settings};
use crate::{known, output, tables};

mod imported;
mod parameters;

/// Which results to show; what is left out admits all.
#[derive(Debug, Args)]
pub(crate) struct QueryOptions {
    /// Hugging Face id of the model
    #[arg(long, add = completer::models())]
    model: Option<String>,
    /// Family of models, for instance llama
    #[arg(long)]
    model_family: Option<String>,
    /// Instance type
    #[arg(long, add = completer::instances())]
    instance: Option<String>,
    /// Family of instance types, for instance g6e
    #[arg(long)]
    instance_family: Option<String>,
    /// Accelerator, for instance L40S
    #[arg(long)]
    accelerator: Option<String>,
    /// Vendor of the accelerator: nvidia or aws
    #[arg(long)]
    vendor: Option<String>,
    /// Engine: vllm, llama_cpp, simulator or other
    #[arg(long)]
    engine: Option<String>,
    /// Version of the engine
    #[arg(long)]
    engine_version: Option<String>,
    /// Precision of the weights
    #[arg(long)]
    quantization: Option<String>,
    /// Hash of the workload
    #[arg(long, value_name = "SHA256")]
    workload: Option<String>,
    /// Number of simultaneous requests
    #[arg(long)]
    concurrency: Option<u32>,
    /// Smallest model, in 10^9 parameters
    #[arg(long)]
    min_params_b: Option<f64>,
    /// Largest model, in 10^9 parameters
    #[arg(long)]
    max_params_b: Option<f64>,
    /// Limit that latencies must keep, for instance ttft_p95_ms<=500; may be repeated
    #[arg(long, value_name = "LIMIT")]
    slo: Vec<Limit>,
    /// Results since this moment, for instance 2026-11-01T00:00:00Z
    #[arg(long)]
    since: Option<String>,
    /// Results until this moment
    #[arg(long)]
    until: Option<String>,
    /// Results of the person with this name
    #[arg(long)]
    user: Option<String>,
    /// Origin: measured, imported or simulated; the last two are shown only when asked for
    #[arg(long)]
    origin: Option<String>,
    /// Order: recorded_at, a number such as ttft_p95_ms, or a cost such as cost_per_million_output_tokens
    #[arg(long, value_name = "KEY")]
    sort: Option<SortKey>,
    /// Direction of the order: ascending or descending; the best comes first unless it is given
    #[arg(long)]
    direction: Option<Direction>,
    #[command(flatten)]
    prices: PriceOptions,
    /// Every result instead of the current ones, those that failed a validity check too
    #[arg(long)]
    include_invalid: bool,
    /// Every result instead of the current ones, those that were superseded too
    #[arg(long)]
    include_superseded: bool,
    /// Most results to show
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Show all results, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// What costs are computed from.
#[derive(Debug, Args)]
struct PriceOptions {
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
    discount: Option<DiscountFactor>,
}

impl PriceOptions {
    /// Takes from the settings what no flag says.
    fn complete(&mut self, settings: &Settings) {
        self.region = settings.or(self.region.as_deref(), Key::Region);
        self.tier = settings.or(self.tier.as_deref(), Key::Tier);
    }
}

/// The server's largest page.
const PAGE: u32 = 1000;

pub(crate) async fn query(session: &Session, mut options: QueryOptions) -> anyhow::Result<()> {
    options.prices.complete(&session.settings);
    let client = &session.client;
    if options.origin.as_deref() == Some("imported") {
        return imported::query(session, &options).await;
    }
    if options.include_invalid || options.include_superseded {
        return every_result(session, &options).await;
    }
    let items = walk(client, &options).await?;
    if items.is_empty() && session.output.is_for_people() {
        if let Some(model) = &options.model {
            known::model(client, model).await?;
        }
        if let Some(instance) = &options.instance {
            known::instance(client, instance).await?;
        }
        output::notice("no result matches");
        if options.origin.is_none() {
            output::notice(
                "hint: --origin simulated shows what the simulator made, --origin imported what others published",
            );
        }
        return Ok(());
    }
    session.output.show(&items, || tables::catalog::items(&items))?;
    for reason in tables::catalog::missing_costs(&items) {
        output::notice(&format!("note: {reason}"));
    }
    Ok(())
}

/// Follows the pages of the catalog for as long as more is wanted.
async fn walk(client: &Client, options: &QueryOptions) -> anyhow::Result<Vec<CatalogItem>> {
    let wanted = if options.all { usize::MAX } else { options.limit as usize };
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let limit = u32::try_from(wanted - items.len()).unwrap_or(PAGE).min(PAGE);
        let page = client.catalog(&parameters::of_catalog(options, limit, cursor)).await?;
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() || items.len() >= wanted {
            return Ok(items);
        }
    }
}

/// The list that the catalog is chosen from, the newest first.
async fn every_result(session: &Session, options: &QueryOptions) -> anyhow::Result<()> {
    let unknown = [
        ("--sort", options.sort.is_some()),
        ("--direction", options.direction.is_some()),
        ("--slo", !options.slo.is_empty()),
        ("--vendor", options.vendor.is_some()),
        ("--all", options.all),
    ];
    if let Some((flag, _)) = unknown.iter().find(|(_, given)| *given) {
        bail!("{flag} goes with current results alone; leave --include-invalid and --include-superseded out");
    }
    let results = session.client.results(&parameters::of_results(options)).await?;
    session.output.show(&results, || tables::results(&results))
}
