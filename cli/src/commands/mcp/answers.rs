//! The answers: the server's own, or reckoned by core's formulas.

use accelbench_core::cost::{OutputWeight, Throughput};
use accelbench_core::observed::Observed;
use accelbench_core::price::{DEFAULT_REGION, HourlyPrice};
use anyhow::bail;
use serde_json::{Value, json};

use super::questions::{CompareQuestion, CostQuestion, QueryQuestion, RecommendQuestion};
use crate::client::Client;
use crate::commands::compare::{Priced, ranked};
use crate::commands::cost::reckon;
use crate::known;

/// Results of one comparison; more could not be weighed.
const MOST: usize = 20;

pub(super) async fn query(client: &Client, question: QueryQuestion) -> anyhow::Result<Value> {
    let limit = question.limit.unwrap_or(20).clamp(1, 100);
    let query = given([
        ("model", question.model),
        ("instance_type", question.instance_type),
        ("accelerator_name", question.accelerator_name),
        ("concurrency", question.concurrency.map(|count| count.to_string())),
        ("slo", question.slo),
        ("sort", question.sort),
        ("origin", question.origin),
        ("region", question.region),
        ("tier", question.tier),
        ("limit", Some(limit.to_string())),
    ]);
    client.get("catalog", &query).await
}

pub(super) async fn compare(client: &Client, question: CompareQuestion) -> anyhow::Result<Value> {
    if question.results.is_empty() || question.results.len() > MOST {
        bail!("{} results were given; compare 1 to {MOST}", question.results.len());
    }
    let mut group = Vec::new();
    for id in &question.results {
        let answer = client.get(&format!("results/{id}"), &[]).await?;
        group.push(Priced::of(answer, "on_demand")?);
    }
    Ok(json!({"comparison": ranked(&group)}))
}

pub(super) async fn recommend(client: &Client, question: RecommendQuestion) -> anyhow::Result<Value> {
    known::model(client, &question.model).await?;
    let query = given([
        ("model", Some(question.model)),
        ("slo", Some(question.slo)),
        ("requests_per_s", Some(question.requests_per_s.to_string())),
        ("region", Some(question.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()))),
        ("tier", question.tier),
        ("origin", question.origin),
    ]);
    client.recommendation(&query).await
}

pub(super) fn cost(question: &CostQuestion) -> anyhow::Result<Value> {
    let throughput = Throughput {
        input_tokens_per_s: question.input_tokens_per_s,
        output_tokens_per_s: question.output_tokens_per_s,
        requests_per_s: question.requests_per_s,
    };
    let price = Observed::Value(HourlyPrice { per_hour: question.price_per_hour, upfront: 0.0 });
    let weight = OutputWeight::default();
    Ok(serde_json::to_value(reckon((None, throughput), &price, weight, question.target_requests_per_s)?)?)
}

fn given<const COUNT: usize>(
    parameters: [(&'static str, Option<String>); COUNT],
) -> Vec<(&'static str, String)> {
    parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
