//! A person's Hugging Face token. It never comes from a flag: flags are seen by everybody on the machine.

use std::path::Path;

use anyhow::Context as _;

/// From the file that was named, or else from the variable `HF_TOKEN`.
pub(super) fn hf_token(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    match file {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            Ok(Some(text.trim().to_owned()))
        }
        None => Ok(std::env::var("HF_TOKEN").ok().filter(|token| !token.trim().is_empty())),
    }
}
