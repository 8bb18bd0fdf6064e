//! The server, as a client finds it: whether it answers, of which release it is, and what it says of the whole.

use accelbench_core::finding::Finding;
use serde_json::Value;

use crate::client::Client;

const PART: &str = "server";
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn examine(client: &Client) -> Vec<Finding> {
    let version = match client.version().await {
        Ok(version) => version,
        Err(error) => {
            let advice = "start one with `accelbench up`, or name another with --server URL";
            return vec![Finding::fail(PART, "reachable", format!("{error:#}"), advice)];
        }
    };
    let mut findings = vec![Finding::pass(PART, "reachable", client.page("")), skew(version.as_deref())];
    match client.status().await {
        Ok(status) => findings.extend(whole(&status)),
        Err(error) => {
            let advice =
                "the server lives and its database does not answer: see its log and `database` below";
            findings.push(Finding::fail(PART, "ready", format!("{error:#}"), advice));
        }
    }
    findings
}

fn skew(server: Option<&str>) -> Finding {
    match server {
        Some(VERSION) => Finding::pass(PART, "version", format!("{VERSION}, as this program")),
        Some(server) => Finding::warn(
            PART,
            "version",
            format!("the server is {server}, this program {VERSION}"),
            "use a program of the server's release: answers may have what the other does not know",
        ),
        None => Finding::warn(
            PART,
            "version",
            "it does not say which release it is",
            "is this an AccelBench server, and is there a proxy that removes its headers?",
        ),
    }
}

fn whole(status: &Value) -> Vec<Finding> {
    let number = |name: &str| status[name].as_f64().unwrap_or_default();
    let (workers, parked, oldest_s) = (number("workers_alive"), number("parked"), number("oldest_queued_s"));
    vec![
        if workers > 0.0 {
            Finding::pass(PART, "workers", format!("{workers} alive"))
        } else {
            let advice = "start one with `accelbench worker`; runs wait until one is there";
            Finding::fail(PART, "workers", "none was heard of in the last minute", advice)
        },
        if oldest_s < 3600.0 {
            Finding::pass(PART, "queue", format!("the oldest run waits for {oldest_s:.0} s"))
        } else {
            let advice = "docs/runbook.md, `The queue stands`";
            Finding::warn(
                PART,
                "queue",
                format!("the oldest run waits for {:.1} h", oldest_s / 3600.0),
                advice,
            )
        },
        if parked > 0.0 {
            let advice = "open each run's page: it says why its teardown fails, and has the button";
            Finding::warn(PART, "parked", format!("{parked} runs wait for a person"), advice)
        } else {
            Finding::pass(PART, "parked", "no run")
        },
    ]
}

#[cfg(test)]
mod tests {
    use accelbench_core::finding::FindingOutcome;
    use serde_json::json;

    use super::{VERSION, skew, whole};

    #[test]
    fn another_release_is_a_warning() {
        assert_eq!(skew(Some(VERSION)).outcome, FindingOutcome::Pass);
        assert_eq!(skew(Some("0.0.1")).outcome, FindingOutcome::Warn);
        assert_eq!(skew(None).outcome, FindingOutcome::Warn);
    }

    #[test]
    fn a_server_without_workers_does_not_work() {
        let outcomes = |status| whole(&status).into_iter().map(|finding| finding.outcome).collect::<Vec<_>>();
        let (pass, warn, fail) = (FindingOutcome::Pass, FindingOutcome::Warn, FindingOutcome::Fail);
        let well = json!({"workers_alive": 2, "parked": 0, "oldest_queued_s": null});
        assert_eq!(outcomes(well), [pass, pass, pass]);
        let ill = json!({"workers_alive": 0, "parked": 1, "oldest_queued_s": 7200.0});
        assert_eq!(outcomes(ill), [fail, warn, warn]);
    }
}
