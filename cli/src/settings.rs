//! What need not be said on every command line. A flag wins over the environment, that over the project's
//! `accelbench.toml`, that over the person's configuration, where a context is a named set of the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fmt};

use accelbench_core::price::DEFAULT_REGION;
use clap::ValueEnum;

use crate::exit::Failure;

mod file;

pub(crate) use file::{File, context_names, set, use_context, user_path};

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Key {
    /// Address of the AccelBench server
    Server,
    /// Form of the output
    Output,
    /// Your name, to find your runs by
    User,
    /// AWS region of prices
    Region,
    /// Pricing tier
    Tier,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Environment(String),
    File(PathBuf),
    Context { name: String, path: PathBuf },
    Default,
}

/// A setting and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    by_key: BTreeMap<Key, Setting>,
    /// The context that is used.
    pub(crate) context: Option<String>,
}

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) server: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) config: Option<PathBuf>,
    /// Whether a context that is named need not be there yet.
    pub(crate) makes_context: bool,
}

impl Key {
    pub(crate) const ALL: [Self; 5] = [Self::Server, Self::Output, Self::User, Self::Region, Self::Tier];

    /// Its name in files and on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Output => "output",
            Self::User => "user",
            Self::Region => "region",
            Self::Tier => "tier",
        }
    }

    /// Its name in the environment.
    pub(crate) fn variable(self) -> String {
        format!("ACCELBENCH_{}", self.as_str().to_uppercase())
    }

    fn default(self) -> Option<&'static str> {
        match self {
            Self::Server => Some("http://127.0.0.1:8080"),
            Self::Output => Some("table"),
            Self::User => None,
            Self::Region => Some(DEFAULT_REGION),
            Self::Tier => Some("on_demand"),
        }
    }
}

impl Settings {
    /// Reads the environment and the files.
    pub(crate) fn read(flags: &Flags) -> anyhow::Result<Self> {
        let home = user_path();
        let user = match (&flags.config, &home) {
            (Some(path), _) if !flags.makes_context => File::read(path)?,
            (Some(path), _) | (None, Ok(path)) => File::of(path)?,
            // Where there is no home there are no settings of a person.
            (None, Err(_)) => None,
        };
        let folder = env::current_dir().unwrap_or_default();
        let project = project_file(&folder).map(|path| File::read(&path)).transpose()?.flatten();
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        Self::resolve(flags, &variable, project.as_ref(), user.as_ref())
    }

    fn resolve(
        flags: &Flags,
        variable: &dyn Fn(&str) -> Option<String>,
        project: Option<&File>,
        user: Option<&File>,
    ) -> anyhow::Result<Self> {
        let named = flags.context.clone().or_else(|| variable("ACCELBENCH_CONTEXT"));
        let context = named.or_else(|| user.and_then(|file| file.current_context.clone()));
        let in_context = match &context {
            // What is about to be made need not be there.
            Some(_) if flags.makes_context => None,
            Some(name) => Some(context_of(name, user)?),
            None => None,
        };
        let flag = |key| match key {
            Key::Server => flags.server.clone(),
            Key::Output => flags.output.clone(),
            Key::User | Key::Region | Key::Tier => None,
        };
        // A context that is named now says more than files that lie around.
        let is_explicit = flags.context.is_some();
        let mut by_key = BTreeMap::new();
        for key in Key::ALL {
            let of_context = || {
                let (file, set) = in_context.as_ref()?;
                let source = Source::Context { name: context.clone()?, path: file.path.clone() };
                Some(Setting { value: set.get(key.as_str())?.clone(), source })
            };
            let of_file = |file: Option<&File>| {
                let file = file?;
                let value = file.values.get(key.as_str())?.clone();
                Some(Setting { value, source: Source::File(file.path.clone()) })
            };
            let from = |value: Option<String>, source| value.map(|value| Setting { value, source });
            let found = from(flag(key), Source::Flag)
                .or_else(|| of_context().filter(|_| is_explicit))
                .or_else(|| from(variable(&key.variable()), Source::Environment(key.variable())))
                .or_else(|| of_file(project))
                .or_else(of_context)
                .or_else(|| of_file(user))
                .or_else(|| from(key.default().map(str::to_owned), Source::Default));
            by_key.extend(found.map(|setting| (key, setting)));
        }
        Ok(Self { by_key, context })
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Setting> {
        self.by_key.get(&key)
    }

    /// The value, or `given`, which is what a flag says.
    pub(crate) fn or(&self, given: Option<&str>, key: Key) -> Option<String> {
        given.map(str::to_owned).or_else(|| Some(self.get(key)?.value.clone()))
    }
}

fn context_of<'a>(
    name: &str,
    user: Option<&'a File>,
) -> anyhow::Result<(&'a File, &'a BTreeMap<String, String>)> {
    let known = user.map(context_names).unwrap_or_default();
    user.and_then(|file| Some((file, file.contexts.get(name)?))).ok_or_else(|| {
        Failure::NotFound {
            message: format!("there is no context `{name}`"),
            hint: Some(match known.as_slice() {
                [] => format!("make it with `accelbench config set --context {name} server URL`"),
                known => format!("the contexts are {}", known.join(", ")),
            }),
        }
        .into()
    })
}

/// The nearest `accelbench.toml`, here or in a folder above.
fn project_file(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join("accelbench.toml")).find(|path| path.is_file())
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("command line"),
            Self::Environment(variable) => write!(formatter, "environment variable {variable}"),
            Self::File(path) => path.display().fmt(formatter),
            Self::Context { name, path } => write!(formatter, "context {name} of {}", path.display()),
            Self::Default => formatter.write_str("default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{File, Flags, Key, Settings, Source};

    fn server(flags: &Flags, variable: Option<&str>, project: &str, user: &str) -> (String, Source) {
        let parse = |text: &str, name: &str| File::parse(text, Path::new(name)).unwrap();
        let (project, user) = (parse(project, "accelbench.toml"), parse(user, "config.toml"));
        let variable = |name: &str| variable.filter(|_| name == "ACCELBENCH_SERVER").map(str::to_owned);
        let settings = Settings::resolve(flags, &variable, Some(&project), Some(&user)).unwrap();
        let setting = settings.get(Key::Server).unwrap();
        (setting.value.clone(), setting.source.clone())
    }

    #[test]
    fn the_nearest_word_counts() {
        let flag = Flags { server: Some("http://flag".to_owned()), ..Flags::default() };
        let context = Flags { context: Some("far".to_owned()), ..Flags::default() };
        let none = Flags::default();
        let project = "server = 'http://project'";
        let user = "server = 'http://user'\n[contexts.far]\nserver = 'http://far'";
        let current = &format!("current_context = 'far'\n{user}");
        let value = |flags, variable, project, user| server(flags, variable, project, user).0;
        assert_eq!(value(&flag, Some("http://variable"), project, user), "http://flag");
        assert_eq!(value(&context, Some("http://variable"), project, user), "http://far");
        assert_eq!(value(&none, Some("http://variable"), project, user), "http://variable");
        assert_eq!(value(&none, None, project, current), "http://project");
        assert_eq!(value(&none, None, "", current), "http://far");
        assert_eq!(value(&none, None, "", user), "http://user");
        assert_eq!(server(&none, None, "", "").1, Source::Default);
    }

    #[test]
    fn a_context_that_is_not_there_is_said() {
        let flags = Flags { context: Some("nosuch".to_owned()), ..Flags::default() };
        let user = File::parse("[contexts.far]\nserver = 'http://far'", Path::new("config.toml")).unwrap();
        let error = Settings::resolve(&flags, &|_| None, None, Some(&user)).unwrap_err();
        assert_eq!(error.to_string(), "there is no context `nosuch`");
    }
}
