//! `accelbench doctor`: looks at everything that an installation needs and says what to do about what is wrong. It changes
//! nothing. What it is not told of (a database, a cluster) it does not look at, and says so.

use std::path::PathBuf;

use accelbench_core::finding::{Finding, FindingOutcome};
use accelbench_hub::HubOptions;
use accelbench_store::error::chain;
use accelbench_store::health;
use accelbench_worker::PriceOptions;
use accelbench_worker::platform::kubernetes::{KubernetesOptions, examine};
use anyhow::bail;
use clap::Args;
use serde_json::json;
use url::Url;

use super::token::TokenArguments;
use crate::session::Session;
use crate::tables;

mod outside;
mod server;

/// What to look at beside the server.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// The PostgreSQL database, as servers and workers reach it
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// A cluster, with the same file as `accelbench worker`
    #[arg(long, env = "ACCELBENCH_KUBERNETES", value_name = "FILE")]
    kubernetes: Option<PathBuf>,
    #[command(flatten)]
    prices: PriceOptions,
    #[command(flatten)]
    hub: HubOptions,
    #[command(flatten)]
    token: TokenArguments,
}

pub(crate) async fn doctor(session: &Session, options: DoctorOptions) -> anyhow::Result<()> {
    let client = &session.client;
    let mut findings = server::examine(client).await;
    findings.extend(database(options.database_url.as_deref()).await);
    findings.extend(cluster(options.kubernetes.as_deref()).await);
    findings.extend(outside::prices(client, &options.prices).await);
    findings.push(match options.token.token() {
        Ok(token) => outside::hub(&options.hub, token.as_deref()).await,
        Err(error) => Finding::fail("hub", "token", format!("{error:#}"), "name a file that can be read"),
    });
    findings.push(outside::quotas());
    session.output.show(&json!({"findings": findings}), || tables::findings::findings(&findings))?;
    let failed = findings.iter().filter(|finding| finding.outcome == FindingOutcome::Fail).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed; the table says what to do", findings.len());
    }
    Ok(())
}

async fn database(url: Option<&str>) -> Vec<Finding> {
    let Some(url) = url else {
        let advice = "name it with --database-url or DATABASE_URL to have it looked at";
        return vec![Finding::skip("database", "reachable", "no address was given", advice)];
    };
    let looked = async {
        let pool = accelbench_store::connect(url, 1).await?;
        health::examine(&mut *pool.acquire().await.map_err(accelbench_store::Error::from)?).await
    };
    match looked.await {
        Ok(mut findings) => {
            findings.insert(0, Finding::pass("database", "reachable", "it answers"));
            findings.push(certificate(url));
            findings
        }
        Err(error) => {
            let advice = "see that address, password, network policies and sslrootcert are right; `psql` with the same address says more";
            vec![Finding::fail("database", "reachable", chain(&error), advice)]
        }
    }
}

/// Whether the address asks for the database's certificate to be checked.
fn certificate(url: &str) -> Finding {
    let mode = Url::parse(url).ok().and_then(|url| {
        url.query_pairs().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.into_owned())
    });
    match mode.as_deref() {
        Some("verify-full") => Finding::pass("database", "certificate", "checked, with the name of the host"),
        mode => Finding::warn(
            "database",
            "certificate",
            format!("not checked: sslmode is {}", mode.unwrap_or("not given")),
            "beyond this machine, add sslmode=verify-full and sslrootcert=FILE to the address (docs/install.md)",
        ),
    }
}

async fn cluster(file: Option<&std::path::Path>) -> Vec<Finding> {
    let Some(file) = file else {
        let advice = "name the worker's settings with --kubernetes to have it looked at";
        return vec![Finding::skip("cluster", "reachable", "no settings were given", advice)];
    };
    match KubernetesOptions::read(file) {
        Ok(options) => examine::examine(&options).await,
        Err(error) => {
            let advice = "write the file as deploy/README.md shows";
            vec![Finding::fail("cluster", "settings", format!("{error:#}"), advice)]
        }
    }
}

#[cfg(test)]
mod tests {
    use accelbench_core::finding::FindingOutcome;

    use super::certificate;

    #[test]
    fn only_a_certificate_with_its_name_is_checked() {
        for (mode, outcome) in [
            ("?sslmode=verify-full&sslrootcert=/ca.pem", FindingOutcome::Pass),
            ("?sslmode=verify-ca", FindingOutcome::Warn),
            ("?sslmode=require", FindingOutcome::Warn),
            ("", FindingOutcome::Warn),
        ] {
            assert_eq!(certificate(&format!("postgres://a@b/c{mode}")).outcome, outcome, "{mode}");
        }
    }
}
