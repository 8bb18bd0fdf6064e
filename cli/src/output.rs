//! The two channels: data on stdout, words about it on stderr. A reader that went away is no error. Every command shows
//! what it found through one [`Output`], so that all of them know the same forms.

use std::fs::File;
use std::io::{Write as _, stderr, stdout};
use std::os::fd::OwnedFd;

use clap::ValueEnum;
use comfy_table::Table;
use nix::unistd::{dup, dup2_stdout};
use serde::Serialize;
use serde_json::Value;

mod colour;
mod expression;
mod records;
mod table;

pub(crate) use colour::{forbid as forbid_colours, word};

/// Form of what goes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: the server's own JSON
    Json,
    /// The same, one line for each
    Jsonl,
    /// One line for each, with the names of the JSON as its head
    Csv,
    /// The JSON as YAML
    Yaml,
    /// The table in Markdown
    Md,
    /// Nothing but ids and names, one a line, for pipes
    Name,
}

/// How a command shows what it found.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The form.
    pub(crate) format: Format,
    /// Fields of the JSON, with dots between those of nested ones; nothing is all of them.
    pub(crate) fields: Vec<String>,
    /// What a jq expression makes of the JSON.
    pub(crate) expression: Option<String>,
}

/// What people read.
pub(crate) enum View {
    Table(Box<Table>),
    Text(String),
}

impl From<Table> for View {
    fn from(table: Table) -> Self {
        Self::Table(Box::new(table))
    }
}

impl From<String> for View {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Output {
    /// Whether people read it, so that more than one thing may be shown and words may be added.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format == Format::Table && self.fields.is_empty() && self.expression.is_none()
    }

    /// Shows data in the form that was asked for; `view` is what people read.
    pub(crate) fn show<V: Into<View>>(
        &self,
        value: &impl Serialize,
        view: impl FnOnce() -> V,
    ) -> anyhow::Result<()> {
        if let Some(expression) = &self.expression {
            let value = self.chosen(value)?;
            return expression::run(expression, &value)?.iter().try_for_each(|value| self.one(value));
        }
        match self.format {
            Format::Table | Format::Md if self.fields.is_empty() => {
                data(&table::text(view().into(), self.format == Format::Md));
                Ok(())
            }
            Format::Table | Format::Md => {
                let records = records::of(&self.chosen(value)?);
                data(&table::text(table::of(&records, &self.fields).into(), self.format == Format::Md));
                Ok(())
            }
            Format::Csv => {
                text(&records::csv(&records::of(&self.chosen(value)?), &self.fields)?);
                Ok(())
            }
            Format::Name => {
                for name in records::names(&serde_json::to_value(value)?) {
                    data(&name);
                }
                Ok(())
            }
            Format::Jsonl => {
                match self.chosen(value)? {
                    Value::Array(values) => values.iter().for_each(|value| data(&value.to_string())),
                    value => data(&value.to_string()),
                }
                Ok(())
            }
            Format::Yaml => {
                text(&serde_saphyr::to_string(&self.chosen(value)?)?);
                Ok(())
            }
            Format::Json => json(&self.chosen(value)?),
        }
    }

    /// The value with the chosen fields alone.
    fn chosen(&self, value: &impl Serialize) -> anyhow::Result<Value> {
        records::choose(serde_json::to_value(value)?, &self.fields)
    }

    /// One value that an expression gave: texts without quotes, as jq's `-r` does.
    fn one(&self, value: &Value) -> anyhow::Result<()> {
        match (value, self.format) {
            (Value::String(text), _) => data(text),
            (value, Format::Yaml) => text(&serde_saphyr::to_string(value)?),
            (value, Format::Jsonl) => data(&value.to_string()),
            (value, _) => return json(value),
        }
        Ok(())
    }
}

/// Stdout with nobody's words on it: goose, which drives the load, prints there and cannot be told not to.
pub(crate) struct SilencedStdout(OwnedFd);

impl SilencedStdout {
    /// Lets whatever is printed go nowhere until [`Self::restore`].
    pub(crate) fn silence() -> anyhow::Result<Self> {
        let stdout = dup(stdout())?;
        dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        Ok(Self(stdout))
    }

    /// Lets data through again.
    pub(crate) fn restore(self) -> anyhow::Result<()> {
        stdout().flush()?;
        Ok(dup2_stdout(self.0)?)
    }
}

/// Writes a line of data to stdout.
pub(crate) fn data(line: &str) {
    // A closed pipe (`accelbench query | head`) must not end in an error message.
    let _ = writeln!(stdout().lock(), "{line}");
}

/// Writes lines of data that end by themselves to stdout.
pub(crate) fn text(lines: &str) {
    let _ = write!(stdout().lock(), "{lines}");
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
