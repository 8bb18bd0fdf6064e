//! The options as the parameters of the server's lists.

use super::QueryOptions;

/// Names and values, without those that were not given.
type Parameters = Vec<(&'static str, String)>;

/// For a page of the catalog.
pub(super) fn of_catalog(options: &QueryOptions, limit: u32, cursor: Option<String>) -> Parameters {
    let slo: Vec<String> = options.slo.iter().map(ToString::to_string).collect();
    let prices = &options.prices;
    let more = [
        ("accelerator_vendor", options.vendor.clone()),
        ("slo", Some(slo.join(",")).filter(|slo| !slo.is_empty())),
        ("sort", options.sort.map(|key| key.to_string())),
        ("direction", options.direction.map(|direction| direction.as_str().to_owned())),
        ("region", prices.region.clone()),
        ("tier", prices.tier.clone()),
        ("payment", prices.payment.clone()),
        ("discount", prices.discount.map(|share| share.get().to_string())),
        ("limit", Some(limit.to_string())),
        ("cursor", cursor),
    ];
    filters(options).into_iter().chain(given(more)).collect()
}

/// For the list of every result.
pub(super) fn of_results(options: &QueryOptions) -> Parameters {
    let flag = |set: bool| set.then(|| "true".to_owned());
    let more = [
        ("include_invalid", flag(options.include_invalid)),
        ("include_superseded", flag(options.include_superseded)),
        ("limit", Some(options.limit.to_string())),
    ];
    filters(options).into_iter().chain(given(more)).collect()
}

fn filters(options: &QueryOptions) -> Parameters {
    let number = |value: Option<f64>| value.map(|value| value.to_string());
    given([
        ("model", options.model.clone()),
        ("model_family", options.model_family.clone()),
        ("instance_type", options.instance.clone()),
        ("instance_family", options.instance_family.clone()),
        ("accelerator_name", options.accelerator.clone()),
        ("engine", options.engine.clone()),
        ("engine_version", options.engine_version.clone()),
        ("quantization", options.quantization.clone()),
        ("workload_sha256", options.workload.clone()),
        ("concurrency", options.concurrency.map(|value| value.to_string())),
        ("min_params_b", number(options.min_params_b)),
        ("max_params_b", number(options.max_params_b)),
        ("since", options.since.clone()),
        ("until", options.until.clone()),
        ("submitted_by", options.user.clone()),
        ("origin", options.origin.clone()),
    ])
    .collect()
}

fn given<const COUNT: usize>(
    parameters: [(&'static str, Option<String>); COUNT],
) -> impl Iterator<Item = (&'static str, String)> {
    parameters.into_iter().filter_map(|(name, value)| Some((name, value?)))
}
