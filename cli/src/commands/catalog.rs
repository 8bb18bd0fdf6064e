//! `accelbench catalog refresh --dry-run`: what keeping the catalog fresh would take now.

use accelbench_core::catalog::refresh::{Decision, RefreshPlan};
use clap::{Args, Subcommand};

use crate::session::Session;
use crate::settings::Key;
use crate::tables;

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Show what a refresh would submit, in order, with expected hours and dollars
    Refresh(RefreshOptions),
}

/// For what the refresh is planned.
#[derive(Debug, Args)]
pub(crate) struct RefreshOptions {
    /// Only show it; workers refresh by themselves once they have a --catalog-budget-usd
    #[arg(long, required = true)]
    dry_run: bool,
    /// What may be spent in seven days, in US dollars [default: no limit]
    #[arg(long, value_name = "USD")]
    budget_usd: Option<f64>,
    /// AWS region of the on-demand prices [default: that of the settings, or us-east-1]
    #[arg(long)]
    region: Option<String>,
}

pub(crate) async fn catalog(session: &Session, command: CatalogCommand) -> anyhow::Result<()> {
    let CatalogCommand::Refresh(options) = command;
    let mut parameters = Vec::new();
    parameters
        .extend(session.settings.or(options.region.as_deref(), Key::Region).map(|region| ("region", region)));
    parameters.extend(options.budget_usd.map(|usd| ("budget_usd", usd.to_string())));
    let plan = session.client.catalog_targets(&parameters).await?;
    if plan.submissions().next().is_some() || !session.output.is_for_people() {
        session.output.show(&plan, || tables::catalog::submissions(&plan))?;
    }
    if session.output.is_for_people() {
        session.output.show(&(), || summary(&plan))?;
    }
    Ok(())
}

fn summary(plan: &RefreshPlan) -> String {
    let count = |of: fn(Decision) -> bool| plan.targets.iter().filter(|it| of(it.decision)).count();
    let gated = plan.submissions().filter(|(planned, ..)| planned.gated).count();
    let budget = &plan.budget;
    let limit = budget.usd.map_or_else(|| "no limit".to_owned(), |usd| format!("a limit of {usd:.2} USD"));
    format!(
        "{} runs for about {:.1} hours and {:.2} USD, with {limit} and {:.2} USD spent in the last seven days\n\
         not now: {} over the limit, {} without a price, {} under way, {} fresh, {} that cannot be deployed\n\
         {gated} of the runs are of gated models, for which workers need a --catalog-hf-token-file",
        plan.submissions().count(),
        budget.planned_hours,
        budget.planned_usd,
        budget.spent_usd,
        count(|decision| matches!(decision, Decision::OverBudget(_))),
        count(|decision| matches!(decision, Decision::NoPrice(_))),
        count(|decision| decision == Decision::UnderWay),
        count(|decision| decision == Decision::Fresh),
        count(|decision| decision == Decision::Unsupported),
    )
}
