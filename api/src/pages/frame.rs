//! What every page has around its own content: where it is in the site, and how old the prices are.

use accelbench_store::{PgConnection, prices};
use chrono::{DateTime, Utc};

use crate::error::ApiError;

/// The frame of a page.
pub(crate) struct Frame {
    section: Section,
    /// When prices were last confirmed; nothing where that was not asked.
    pub(crate) prices_confirmed_at: Option<DateTime<Utc>>,
}

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts of the site, as the navigation names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Catalog,
    Compare,
    Runs,
    Models,
    Instances,
    Methodology,
    Status,
    /// None of them: an error.
    Nowhere,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Home,
        Self::Catalog,
        Self::Compare,
        Self::Runs,
        Self::Models,
        Self::Instances,
        Self::Methodology,
        Self::Status,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Catalog => "Catalog",
            Self::Compare => "Compare",
            Self::Runs => "Runs",
            Self::Models => "Models",
            Self::Instances => "Instances",
            Self::Methodology => "Methodology",
            Self::Status => "Status",
            Self::Nowhere => "",
        }
    }

    fn address(self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            section => format!("/{}", section.name().to_lowercase()),
        }
    }
}

impl Frame {
    /// The frame of a page in this section.
    pub(crate) async fn load(connection: &mut PgConnection, section: Section) -> Result<Self, ApiError> {
        Ok(Self { section, prices_confirmed_at: prices::confirmed_at(connection).await? })
    }

    /// A frame that asks nobody: the database may be what is out of reach.
    pub(crate) fn bare() -> Self {
        Self { section: Section::Nowhere, prices_confirmed_at: None }
    }

    /// Name and address of each part of the site, and whether the page is in it.
    pub(crate) fn navigation(&self) -> impl Iterator<Item = (&'static str, String, bool)> {
        Section::ALL.into_iter().map(|it| (it.name(), it.address(), it == self.section))
    }
}
