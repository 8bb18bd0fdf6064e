//! What others measured has a list and columns of its own.

use anyhow::bail;

use super::QueryOptions;
use crate::session::Session;
use crate::{output, tables};

pub(super) async fn query(session: &Session, options: &QueryOptions) -> anyhow::Result<()> {
    if let Some(flag) = unknown(options) {
        bail!("imported results cannot be chosen by {flag}; leave it out");
    }
    let parameters: Vec<(&'static str, String)> = [
        ("model", options.model.clone()),
        ("instance_type", options.instance.clone()),
        ("accelerator_name", options.accelerator.clone()),
        ("engine", options.engine.clone()),
        ("precision", options.quantization.clone()),
        ("concurrency", options.concurrency.map(|value| value.to_string())),
        ("limit", Some(options.limit.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let results = session.client.imported(&parameters).await?;
    if results.is_empty() && session.output.is_for_people() {
        output::notice("no imported result matches");
        return Ok(());
    }
    session.output.show(&results, || tables::imported::results(&results))?;
    output::notice(
        "measured by others, under their conditions; --output json has sources and caveats in full",
    );
    Ok(())
}

/// The first flag that the list does not know.
fn unknown(options: &QueryOptions) -> Option<&'static str> {
    let unknown = [
        ("--model-family", options.model_family.is_some()),
        ("--instance-family", options.instance_family.is_some()),
        ("--vendor", options.vendor.is_some()),
        ("--engine-version", options.engine_version.is_some()),
        ("--workload", options.workload.is_some()),
        ("--min-params-b", options.min_params_b.is_some()),
        ("--max-params-b", options.max_params_b.is_some()),
        ("--slo", !options.slo.is_empty()),
        ("--since", options.since.is_some()),
        ("--until", options.until.is_some()),
        ("--user", options.user.is_some()),
        ("--sort", options.sort.is_some()),
        ("--direction", options.direction.is_some()),
        ("--all", options.all),
    ];
    unknown.into_iter().find_map(|(flag, given)| given.then_some(flag))
}
