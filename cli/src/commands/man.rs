//! `accelbench man`: manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap_mangen::{Man, generate_to};

use crate::arguments::grammar;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct ManOptions {
    /// Folder for a page of each command, instead of the first page on stdout
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(crate) fn man(options: &ManOptions) -> anyhow::Result<()> {
    let Some(folder) = &options.dir else {
        let mut page = Vec::new();
        Man::new(grammar()).render(&mut page).context("the page cannot be written")?;
        output::text(&String::from_utf8(page)?);
        return Ok(());
    };
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    generate_to(grammar(), folder)
        .with_context(|| format!("the pages cannot be written to {}", folder.display()))
}
