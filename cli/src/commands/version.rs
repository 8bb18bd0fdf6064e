//! `accelbench version`: this program's version, and whether the server is of the same.

use clap::Args;
use serde_json::json;

use crate::output;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct VersionOptions {}

const OWN: &str = env!("CARGO_PKG_VERSION");

pub(crate) async fn version(session: &Session, _options: VersionOptions) -> anyhow::Result<()> {
    let server = session.client.version().await;
    let (version, problem) = match &server {
        Ok(version) => (version.as_deref(), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let is_same = version.map(|version| version == OWN);
    let answer = json!({
        "client": {"version": OWN},
        "server": {"url": session.client.page(""), "version": version, "problem": problem},
        "is_same": is_same,
    });
    session.output.show(&answer, || told(version, problem.as_deref()))?;
    if is_same == Some(false) {
        output::notice(
            "note: client and server are of different versions; use the client of the server's release",
        );
    }
    Ok(())
}

fn told(version: Option<&str>, problem: Option<&str>) -> String {
    let server = match (version, problem) {
        (Some(version), _) => version.to_owned(),
        (None, problem) => problem.unwrap_or("it does not say").to_owned(),
    };
    format!("accelbench {OWN}\nserver     {server}")
}
