//! `accelbench prices`: what an hour of an instance costs, and how old that knowledge is.

use clap::Args;

use crate::arguments::Format;
use crate::client::Client;
use crate::{output, tables};

/// Which prices to show; what is left out admits all.
#[derive(Debug, Args)]
pub(crate) struct PricesOptions {
    /// Instance type, for instance g6e.xlarge
    #[arg(long)]
    instance: Option<String>,
    /// Region
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Pricing tier: on_demand, reserved_1_year, reserved_3_year, spot or capacity_block
    #[arg(long)]
    tier: Option<String>,
}

pub(crate) async fn prices(client: &Client, format: Format, options: PricesOptions) -> anyhow::Result<()> {
    let parameters =
        [("instance_type", options.instance), ("region", Some(options.region)), ("tier", options.tier)];
    let parameters: Vec<_> =
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let prices = client.prices(&parameters).await?;
    if format == Format::Json {
        return output::json(&prices);
    }
    if prices.is_empty() {
        output::notice("no price is known for this");
        return Ok(());
    }
    output::data(&tables::prices(&prices));
    Ok(())
}
