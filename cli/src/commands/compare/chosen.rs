//! Which results are compared: those that are named, or the current ones of a model on some instance types.

use super::{CompareOptions, Priced, ids};
use crate::exit::Failure;
use crate::session::Session;
use crate::{known, output};

/// The server's largest page.
const PAGE: u32 = 1000;

pub(super) async fn groups(session: &Session, options: &CompareOptions) -> anyhow::Result<Vec<Vec<Priced>>> {
    let Some(model) = &options.model else {
        let mut group = Vec::new();
        for id in ids(&options.results)? {
            group.push(load(session, options, &id).await?);
        }
        return Ok(vec![group]);
    };
    known::model(&session.client, model).await?;
    let mut found = Vec::new();
    for instance in &options.instances {
        known::instance(&session.client, instance).await?;
        let results = of(session, options, model, instance).await?;
        if results.is_empty() {
            output::notice(&format!("note: {model} has no {} result on {instance}", options.origin));
        }
        found.extend(results);
    }
    if found.is_empty() {
        return Err(Failure::NotFound {
            message: format!(
                "{model} has no {} result on any of {}",
                options.origin,
                options.instances.join(", ")
            ),
            hint: Some(format!(
                "measure it with `accelbench run --model {model} --instance {}`",
                options.instances[0]
            )),
        }
        .into());
    }
    Ok(grouped(found))
}

async fn of(
    session: &Session,
    options: &CompareOptions,
    model: &str,
    instance: &str,
) -> anyhow::Result<Vec<Priced>> {
    let query = [
        ("model", Some(model.to_owned())),
        ("instance_type", Some(instance.to_owned())),
        ("origin", Some(options.origin.clone())),
        ("concurrency", options.concurrency.map(|count| count.to_string())),
        ("limit", Some(PAGE.to_string())),
    ];
    let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let mut results = Vec::new();
    for item in session.client.catalog(&query).await?.items {
        results.push(load(session, options, &item.result_id.0.to_string()).await?);
    }
    Ok(results)
}

async fn load(session: &Session, options: &CompareOptions, id: &str) -> anyhow::Result<Priced> {
    let region: Vec<_> = options.region.clone().map(|region| ("region", region)).into_iter().collect();
    let answer = session.client.get(&format!("results/{id}"), &region).await?;
    Priced::of(answer, options.tier.as_deref().unwrap_or_default())
}

/// Those of one workload and load together, in the order of their loads.
fn grouped(found: Vec<Priced>) -> Vec<Vec<Priced>> {
    let mut groups: Vec<Vec<Priced>> = Vec::new();
    for it in found {
        let is_same = |group: &&mut Vec<Priced>| {
            let (first, own) = (&group[0].result, &it.result);
            first.offered_load == own.offered_load
                && first.provenance.workload_sha256 == own.provenance.workload_sha256
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(it),
            None => groups.push(vec![it]),
        }
    }
    groups.sort_by(|a, b| a[0].result.offered_load.amount().total_cmp(&b[0].result.offered_load.amount()));
    groups
}
