//! The two channels: data on stdout, words about it on stderr. A reader that went away is no error.

use std::io::{Write as _, stderr, stdout};

use serde::Serialize;

/// Writes data to stdout.
pub(crate) fn data(text: &str) {
    // A closed pipe (`accelbench query | head`) must not end in an error message.
    let _ = writeln!(stdout().lock(), "{text}");
}

/// Writes data to stdout as JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    data(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Tells a person something on stderr.
pub(crate) fn notice(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}
