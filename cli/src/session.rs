//! What every command that asks a server has at hand.

use anyhow::Context as _;
use clap::ValueEnum as _;

use crate::arguments::GlobalOptions;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{Format, Output};
use crate::settings::{Flags, Key, Settings};

/// The server, the form of the output, and the person's settings.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
    pub(crate) settings: Settings,
    /// The file of the person's settings that was named.
    pub(crate) flags: Flags,
}

impl Session {
    pub(crate) fn open(options: &GlobalOptions, makes_context: bool) -> anyhow::Result<Self> {
        let flags = Flags {
            server: options.server.as_ref().map(ToString::to_string),
            output: options.output.and_then(|format| Some(format.to_possible_value()?.get_name().to_owned())),
            context: options.context.clone(),
            config: options.config.clone(),
            makes_context,
        };
        let settings = Settings::read(&flags)?;
        let output = output(options, &settings)?;
        let server = settings.get(Key::Server).context("there is always a server")?;
        let url = server.value.parse().ok().filter(|url: &url::Url| url.has_host()).ok_or_else(|| {
            Failure::Usage {
                message: format!("`{}` of the {} is no address of a server", server.value, server.source),
                hint: Some("write for instance http://127.0.0.1:8080".to_owned()),
            }
        })?;
        Ok(Self { client: Client::new(url)?, output, settings, flags })
    }
}

fn output(options: &GlobalOptions, settings: &Settings) -> anyhow::Result<Output> {
    let fields = options.json.clone();
    let is_programs = fields.is_some() || options.jq.is_some();
    let format = match (options.output, settings.get(Key::Output)) {
        (Some(format), _) => format,
        (None, _) if is_programs => Format::Json,
        (None, Some(setting)) => {
            Format::from_str(&setting.value, true).map_err(|_unknown| Failure::Usage {
                message: format!("`{}` of the {} is no form of output", setting.value, setting.source),
                hint: Some("the forms are table, json, jsonl, csv, yaml, md and name".to_owned()),
            })?
        }
        (None, None) => Format::Table,
    };
    let fields = fields.unwrap_or_default().into_iter().filter(|field| !field.is_empty()).collect();
    Ok(Output { format, fields, expression: options.jq.clone() })
}
