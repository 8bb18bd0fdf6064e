//! A person's Hugging Face token. It never comes from a flag: flags are seen by everybody on the machine.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

/// Where the token comes from; nobody needs one for models that are open.
#[derive(Debug, Clone, Args)]
pub(crate) struct TokenArguments {
    /// File with your Hugging Face token, for gated models; the variable HF_TOKEN serves as well
    #[arg(long, value_name = "FILE", conflicts_with = "hf_token_prompt")]
    hf_token_file: Option<PathBuf>,
    /// Ask for your Hugging Face token; it is not shown while you type
    #[arg(long)]
    hf_token_prompt: bool,
}

impl TokenArguments {
    /// From the person, from the file that was named, or else from the variable `HF_TOKEN`.
    pub(super) fn token(&self) -> anyhow::Result<Option<String>> {
        if self.hf_token_prompt {
            let typed =
                rpassword::prompt_password("Hugging Face token: ").context("no token could be asked for")?;
            return Ok(Some(typed.trim().to_owned()).filter(|token| !token.is_empty()));
        }
        match &self.hf_token_file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                Ok(Some(text.trim().to_owned()))
            }
            None => Ok(std::env::var("HF_TOKEN").ok().filter(|token| !token.trim().is_empty())),
        }
    }
}
