//! What is asked of others: AWS's price list, the Hugging Face Hub, quotas.

use std::time::Duration;

use accelbench_core::finding::Finding;
use accelbench_core::secret::HfToken;
use accelbench_hub::HubOptions;
use accelbench_store::prices::KnownPrice;
use accelbench_worker::PriceOptions;
use accelbench_worker::prices::price_list::PriceList;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;

use crate::client::Client;

/// Others may not answer at all; a doctor does not wait for them for long.
const PATIENCE: Duration = Duration::from_secs(15);

const FRESH: TimeDelta = TimeDelta::days(3);

/// How old the server's prices are, and whether this process may ask AWS for newer ones.
pub(super) async fn prices(client: &Client, options: &PriceOptions) -> Vec<Finding> {
    if options.regions.is_empty() {
        let advice = "name regions with --price-region, as for the worker, to have prices and AWS credentials looked at";
        return vec![Finding::skip("prices", "regions", "no region was given", advice)];
    }
    let list = PriceList::from_environment(options.endpoint.as_deref()).await;
    let mut findings = Vec::new();
    for region in &options.regions {
        findings.push(age(client, region).await);
        let check = format!("aws {region}");
        let advice = "give the process credentials that allow pricing:GetProducts (docs/security.md), and let it out to port 443";
        findings.push(match timeout(PATIENCE, list.reach(region)).await {
            Ok(Ok(())) => Finding::pass("prices", &check, "the price list answers"),
            Ok(Err(error)) => Finding::warn("prices", &check, first_line(&format!("{error:#}")), advice),
            Err(_elapsed) => Finding::warn("prices", &check, "the price list does not answer", advice),
        });
    }
    findings
}

async fn age(client: &Client, region: &str) -> Finding {
    let check = format!("age {region}");
    let query = [("region", region.to_owned()), ("tier", "on_demand".to_owned())];
    match client.prices(&query).await {
        Ok(prices) => aged(&check, prices.iter().map(known_at).max(), Utc::now()),
        Err(error) => {
            let advice = "see `server` above";
            Finding::skip("prices", &check, format!("{error:#}"), advice)
        }
    }
}

fn known_at(price: &KnownPrice) -> DateTime<Utc> {
    price.confirmed_at
}

fn aged(check: &str, newest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Finding {
    let advice =
        "let a worker ask daily with --price-region and credentials; docs/runbook.md, `Prices are old`";
    match newest.map(|at| now - at) {
        None => Finding::warn("prices", check, "no price of this region is known", advice),
        Some(age) if age > FRESH => {
            Finding::warn("prices", check, format!("the newest is {} days old", age.num_days()), advice)
        }
        Some(age) => Finding::pass("prices", check, format!("the newest is {} h old", age.num_hours())),
    }
}

/// Whether the Hub knows this token.
pub(super) async fn hub(options: &HubOptions, token: Option<&str>) -> Finding {
    if options.offline {
        return Finding::skip("hub", "token", "the Hub is not asked", "leave out --offline to have it asked");
    }
    let Some(text) = token else {
        let advice = "gated models want one: set HF_TOKEN to have it looked at";
        return Finding::skip("hub", "token", "no token was given", advice);
    };
    let Ok(token) = HfToken::new(text) else {
        return Finding::fail("hub", "token", "it is no Hugging Face token", "they begin with hf_");
    };
    let asked = reqwest::Client::new()
        .get(format!("{}/api/whoami-v2", options.hub_url.as_str().trim_end_matches('/')))
        .bearer_auth(token.expose())
        .timeout(PATIENCE)
        .send();
    match asked.await {
        Ok(answer) if answer.status().is_success() => Finding::pass("hub", "token", "the Hub knows it"),
        Ok(answer) if answer.status().is_client_error() => {
            let advice =
                "make a new one at huggingface.co/settings/tokens, with the right to read gated repositories";
            Finding::fail("hub", "token", format!("the Hub refuses it: {}", answer.status()), advice)
        }
        Ok(answer) => {
            Finding::skip("hub", "token", format!("the Hub answers {}", answer.status()), "try again later")
        }
        Err(error) => {
            let advice = "let servers out to the Hub, or name a mirror with --hub-url";
            Finding::warn("hub", "token", format!("the Hub cannot be asked: {}", error.without_url()), advice)
        }
    }
}

/// Nothing of ours may read quotas; this only reminds.
pub(super) fn quotas() -> Finding {
    let advice = "docs/install.md, step 1, lists them; a g6e.xlarge needs 4 vCPUs of `G and VT`, a p5.48xlarge 192 of `P`";
    Finding::skip("aws", "quotas", "not asked: new accounts begin with 0 vCPUs of most accelerators", advice)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use accelbench_core::finding::FindingOutcome;
    use chrono::{TimeDelta, Utc};

    use super::aged;

    #[test]
    fn prices_of_three_days_are_old() {
        let now = Utc::now();
        let outcome = |age| aged("age", age, now).outcome;
        assert_eq!(outcome(Some(now - TimeDelta::hours(71))), FindingOutcome::Pass);
        assert_eq!(outcome(Some(now - TimeDelta::hours(73))), FindingOutcome::Warn);
        assert_eq!(outcome(None), FindingOutcome::Warn);
    }
}
