//! `accelbench prices`: what an hour of an instance costs, and how old that knowledge is.

use clap::Args;

use crate::completer;
use crate::session::Session;
use crate::settings::Key;
use crate::{output, tables};

/// Which prices to show; what is left out admits all.
#[derive(Debug, Args)]
pub(crate) struct PricesOptions {
    /// Instance type, for instance g6e.xlarge
    #[arg(long, add = completer::instances())]
    instance: Option<String>,
    /// Region [default: that of the settings, or us-east-1]
    #[arg(long)]
    region: Option<String>,
    /// Pricing tier: on_demand, reserved_1_year, reserved_3_year, spot or capacity_block
    #[arg(long)]
    tier: Option<String>,
}

pub(crate) async fn prices(session: &Session, options: PricesOptions) -> anyhow::Result<()> {
    let parameters = [
        ("instance_type", options.instance),
        ("region", session.settings.or(options.region.as_deref(), Key::Region)),
        ("tier", options.tier),
    ];
    let parameters: Vec<_> =
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let prices = session.client.prices(&parameters).await?;
    if prices.is_empty() && session.output.is_for_people() {
        output::notice("no price is known for this");
        return Ok(());
    }
    session.output.show(&prices, || tables::prices(&prices))
}
