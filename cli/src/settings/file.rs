//! Files of settings: `accelbench.toml` of a project and `config.toml` of a person.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use etcetera::{BaseStrategy as _, choose_base_strategy};
use toml::{Table, Value};

use super::Key;

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) current_context: Option<String>,
    pub(crate) contexts: BTreeMap<String, BTreeMap<String, String>>,
}

impl File {
    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(&text, path).map(Some)
    }

    /// What the file says, if it is there.
    pub(crate) fn of(path: &Path) -> anyhow::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    pub(super) fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let place = path.display();
        let table: Table = text.parse().with_context(|| format!("{place} is no TOML"))?;
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        for (name, value) in table {
            match (name.as_str(), value) {
                ("current_context", Value::String(name)) => file.current_context = Some(name),
                ("contexts", Value::Table(contexts)) => {
                    for (name, value) in contexts {
                        let Value::Table(values) = value else {
                            bail!("{place}: contexts.{name} is no table")
                        };
                        let values = values.into_iter().map(|(key, value)| setting(&key, value));
                        let values: anyhow::Result<_> = values.collect();
                        file.contexts.insert(
                            name.clone(),
                            values.with_context(|| format!("{place}: contexts.{name}"))?,
                        );
                    }
                }
                (name, value) => {
                    let (key, value) = setting(name, value).with_context(|| place.to_string())?;
                    file.values.insert(key, value);
                }
            }
        }
        Ok(file)
    }
}

fn setting(name: &str, value: Value) -> anyhow::Result<(String, String)> {
    let keys = Key::ALL.map(Key::as_str);
    if !keys.contains(&name) {
        bail!("there is no setting `{name}`; the settings are {}", keys.join(", "));
    }
    let Value::String(value) = value else { bail!("{name} is no text; write {name} = \"...\"") };
    Ok((name.to_owned(), value))
}

/// The names of the contexts.
pub(crate) fn context_names(file: &File) -> Vec<String> {
    file.contexts.keys().cloned().collect()
}

/// Where a person's settings are.
pub(crate) fn user_path() -> anyhow::Result<PathBuf> {
    let strategy =
        choose_base_strategy().context("the home folder is not known; set HOME or give --config FILE")?;
    Ok(strategy.config_dir().join("accelbench").join("config.toml"))
}

/// Writes a setting, in a context if one is named.
pub(crate) fn set(path: &Path, context: Option<&str>, key: Key, value: &str) -> anyhow::Result<()> {
    change(path, |table| {
        let mut place = table;
        for name in context.into_iter().flat_map(|name| ["contexts", name]) {
            let inner = place.entry(name).or_insert_with(|| Value::Table(Table::new()));
            place = inner.as_table_mut().with_context(|| format!("{name} is no table"))?;
        }
        place.insert(key.as_str().to_owned(), Value::String(value.to_owned()));
        Ok(())
    })
}

/// Makes a context the current one.
pub(crate) fn use_context(path: &Path, name: &str) -> anyhow::Result<()> {
    change(path, |table| {
        table.insert("current_context".to_owned(), Value::String(name.to_owned()));
        Ok(())
    })
}

fn change(path: &Path, how: impl FnOnce(&mut Table) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let place = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("{place} cannot be read")),
    };
    let mut table: Table = text.parse().with_context(|| format!("{place} is no TOML"))?;
    how(&mut table).with_context(|| place.to_string())?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    // Written beside and moved: a reader never sees half of it.
    let beside = path.with_extension("toml.new");
    fs::write(&beside, toml::to_string(&table)?)
        .with_context(|| format!("{} cannot be written", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("{place} cannot be written"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{File, Key, set, use_context};

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accelbench").join("config.toml");
        set(&path, None, Key::Tier, "spot").unwrap();
        set(&path, Some("far"), Key::Server, "http://far").unwrap();
        use_context(&path, "far").unwrap();
        let file = File::of(&path).unwrap().unwrap();
        assert_eq!(file.values["tier"], "spot");
        assert_eq!(file.contexts["far"]["server"], "http://far");
        assert_eq!(file.current_context.as_deref(), Some("far"));
    }

    #[test]
    fn unknown_settings_are_named() {
        let problem = |text: &str| format!("{:#}", File::parse(text, Path::new("x.toml")).unwrap_err());
        assert!(problem("sever = 'x'").contains("there is no setting `sever`; the settings are server, "));
        assert!(problem("tier = 1").contains("tier is no text"));
        assert!(problem("[contexts.a]\nb = 'x'").contains("contexts.a: there is no setting `b`"));
    }
}
