//! `accelbench completion`: what a shell needs to complete this program's words. The shell asks the program itself each
//! time, so that models, instance types and runs are those of the server.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use crate::output;

#[derive(Debug, Args)]
pub(crate) struct CompletionOptions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub(crate) fn completion(options: &CompletionOptions) -> anyhow::Result<()> {
    let completer: &dyn EnvCompleter = match options.shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
    };
    let mut script = Vec::new();
    completer
        .write_registration("ACCELBENCH_COMPLETE", "accelbench", "accelbench", "accelbench", &mut script)
        .context("the completions cannot be written")?;
    output::text(&String::from_utf8(script)?);
    Ok(())
}
