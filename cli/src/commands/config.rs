//! `accelbench config`: settings, and the sets of them that are called contexts.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;
use url::Url;

use crate::exit::Failure;
use crate::output;
use crate::session::Session;
use crate::settings::{self, File, Key, Source};
use crate::tables::plain;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print a setting
    Get {
        /// Its name
        key: Key,
    },
    /// Write a setting to the file of your settings; with --context, to that context, which is made if need be
    Set {
        /// Its name
        key: Key,
        /// Its value
        value: String,
    },
    /// List the settings
    List {
        /// Say where each comes from
        #[arg(long)]
        show_origin: bool,
    },
    /// Print where the file of your settings is
    Path,
    /// List the contexts
    Contexts,
    /// Use a context from now on
    UseContext {
        /// Its name
        name: String,
    },
}

impl ConfigCommand {
    /// Whether it writes into a context, which need not be there yet.
    pub(crate) fn makes_context(&self) -> bool {
        matches!(self, Self::Set { .. } | Self::UseContext { .. } | Self::Path)
    }
}

pub(crate) fn config(session: &Session, command: ConfigCommand) -> anyhow::Result<()> {
    let path = session.flags.config.clone().map_or_else(settings::user_path, Ok)?;
    match command {
        ConfigCommand::Get { key } => get(session, key),
        ConfigCommand::Set { key, value } => {
            check(key, &value)?;
            settings::set(&path, session.flags.context.as_deref(), key, &value)?;
            output::notice(&format!("{} is {value} in {}", key.as_str(), path.display()));
            Ok(())
        }
        ConfigCommand::List { show_origin } => list(session, show_origin),
        ConfigCommand::Path => session.output.show(&path, || path.display().to_string()),
        ConfigCommand::Contexts => contexts(session, &path),
        ConfigCommand::UseContext { name } => {
            let known = File::of(&path)?.map(|file| settings::context_names(&file)).unwrap_or_default();
            if !known.contains(&name) {
                return Err(Failure::NotFound {
                    message: format!("there is no context `{name}`"),
                    hint: Some(format!("make it with `accelbench config set --context {name} server URL`")),
                }
                .into());
            }
            settings::use_context(&path, &name)?;
            output::notice(&format!("the context is {name} from now on"));
            Ok(())
        }
    }
}

fn check(key: Key, value: &str) -> anyhow::Result<()> {
    let problem = match key {
        Key::Server => !value.parse::<Url>().is_ok_and(|url| url.has_host()),
        _ => value.trim().is_empty(),
    };
    if problem {
        return Err(Failure::Usage {
            message: format!("`{value}` is no {}", key.as_str()),
            hint: (key == Key::Server).then(|| "write for instance http://127.0.0.1:8080".to_owned()),
        }
        .into());
    }
    Ok(())
}

fn get(session: &Session, key: Key) -> anyhow::Result<()> {
    let setting = session.settings.get(key).ok_or_else(|| Failure::NotFound {
        message: format!("{} is not set", key.as_str()),
        hint: Some(format!("set it with `accelbench config set {} VALUE`", key.as_str())),
    })?;
    session.output.show(&setting.value, || setting.value.clone())
}

fn list(session: &Session, show_origin: bool) -> anyhow::Result<()> {
    let set: Vec<_> =
        Key::ALL.into_iter().filter_map(|key| Some((key, session.settings.get(key)?))).collect();
    let entries: Vec<_> = set
        .iter()
        .map(|(key, setting)| {
            json!({"name": key.as_str(), "value": setting.value, "origin": setting.source.to_string(),
                   "is_default": setting.source == Source::Default})
        })
        .collect();
    session.output.show(&entries, || {
        let head = ["setting", "value", "origin"];
        let mut table = plain(if show_origin { &head } else { &head[..2] });
        for (key, setting) in &set {
            let mut row = vec![key.as_str().to_owned(), setting.value.clone()];
            row.extend(show_origin.then(|| setting.source.to_string()));
            table.add_row(row);
        }
        table
    })
}

fn contexts(session: &Session, path: &Path) -> anyhow::Result<()> {
    let file = File::of(path)?.unwrap_or_default();
    let current = session.settings.context.as_deref();
    let entries: Vec<_> = file
        .contexts
        .iter()
        .map(|(name, values)| json!({"name": name, "is_current": current == Some(name), "values": values}))
        .collect();
    if entries.is_empty() {
        output::notice(
            "there are no contexts; make one with `accelbench config set --context NAME server URL`",
        );
    }
    session.output.show(&entries, || {
        let mut table = plain(&["current", "context", "server"]);
        for (name, values) in &file.contexts {
            let mark = if current == Some(name) { "*" } else { "" };
            table.add_row([mark, name, values.get("server").map_or("-", String::as_str)]);
        }
        table
    })
}
