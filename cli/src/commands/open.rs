//! `accelbench open`: the web page of whatever an id names.

use std::io::{IsTerminal as _, stdout};
use std::process::{Command, Stdio};

use clap::Args;
use uuid::Uuid;

use crate::exit::Failure;
use crate::session::Session;
use crate::suggestion::nearest;
use crate::{known, output};

#[derive(Debug, Args)]
pub(crate) struct OpenOptions {
    /// Id of a run or a result, a model, or an instance type
    id: String,
    /// Only print the address
    #[arg(long)]
    print: bool,
}

/// Programs that open an address in the person's browser.
const OPENERS: [&str; 3] = ["xdg-open", "open", "wslview"];

pub(crate) async fn open(session: &Session, options: OpenOptions) -> anyhow::Result<()> {
    let url = session.client.page(&page(session, &options.id).await?);
    if options.print || !stdout().is_terminal() {
        output::data(&url);
        return Ok(());
    }
    let opened = OPENERS.iter().any(|opener| {
        let quiet = Command::new(opener).arg(&url).stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok_and(|status| status.success())
    });
    if !opened {
        output::notice("note: no browser could be opened; the address is");
    }
    output::data(&url);
    Ok(())
}

async fn page(session: &Session, id: &str) -> anyhow::Result<String> {
    let client = &session.client;
    if Uuid::parse_str(id).is_ok() {
        if client.get(&format!("runs/{id}"), &[]).await.is_ok() {
            return Ok(format!("runs/{id}"));
        }
        client.get(&format!("results/{id}"), &[]).await?;
        return Ok(format!("results/{id}"));
    }
    if id.contains('/') {
        known::model(client, id).await?;
        return Ok(format!("models/{id}"));
    }
    let instances = client.instances().await?;
    let names = || instances.iter().map(|instance| instance.instance_type.as_str());
    if names().any(|name| name == id) {
        return Ok(format!("instances/{id}"));
    }
    Err(Failure::NotFound {
        message: format!("there is no run, result, model or instance type `{id}`"),
        hint: nearest(id, names()),
    }
    .into())
}
