//! Log lines go to stderr: readable on a terminal, JSON otherwise, or as the operator says. `RUST_LOG` decides what is shown.

use std::io::{IsTerminal as _, stderr};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::Arguments;

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people on a terminal, JSON otherwise
    Auto,
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

pub(crate) fn start(arguments: &Arguments) {
    let default =
        if arguments.command.is_service() { "info,goose=warn,sqlx=warn,apalis=warn" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_absent_or_bad| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    let readable = match arguments.global.log_format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    if readable {
        lines.compact().finish().init();
    } else {
        lines.json().flatten_event(true).finish().init();
    }
}
