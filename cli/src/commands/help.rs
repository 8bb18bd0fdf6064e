//! `accelbench help`: a command's help, or a topic that concerns all commands.

use std::fmt::Write as _;

use clap::Args;

use crate::arguments::grammar;
use crate::exit::{End, Failure};
use crate::output;
use crate::settings::Key;
use crate::suggestion::nearest;

#[derive(Debug, Args)]
pub(crate) struct HelpOptions {
    /// A command, or exit-codes, environment or formatting
    words: Vec<String>,
}

/// A name and what it explains.
type Topic = (&'static str, fn() -> String);

const TOPICS: [Topic; 3] =
    [("exit-codes", exit_codes), ("environment", environment), ("formatting", formatting)];

pub(crate) fn help(options: &HelpOptions) -> anyhow::Result<()> {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    if let [topic] = words.as_slice()
        && let Some((_, text)) = TOPICS.iter().find(|(name, _)| name == topic)
    {
        output::data(text().trim_end());
        return Ok(());
    }
    let mut command = grammar();
    command.build();
    for word in &words {
        let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let Some(inner) = command.find_subcommand(word).cloned() else {
            let topics = TOPICS.iter().map(|(name, _)| *name);
            return Err(Failure::NotFound {
                message: format!("there is no command or topic `{}`", words.join(" ")),
                hint: nearest(word, known.into_iter().chain(topics)),
            }
            .into());
        };
        command = inner;
    }
    output::data(command.render_long_help().to_string().trim_end());
    Ok(())
}

fn exit_codes() -> String {
    let mut text = "How the program ends:\n\n".to_owned();
    for end in End::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:>5}  {}", end.code(), end.meaning());
    }
    text
}

fn environment() -> String {
    let mut text = "A flag wins over the environment, that over the nearest accelbench.toml, that over the\n\
                    configuration of the person. `accelbench config list --show-origin` says what counts.\n\n"
        .to_owned();
    let own = Key::ALL.map(|key| (key.variable(), format!("the setting `{}`", key.as_str())));
    let others = [
        ("ACCELBENCH_CONTEXT", "the set of settings to use"),
        ("ACCELBENCH_DATA_DIR", "folder of `accelbench up`"),
        ("ACCELBENCH_ENGINE_API_KEY", "key of the server that `bench` measures"),
        ("HF_TOKEN", "Hugging Face token for gated models"),
        ("NO_COLOR, CLICOLOR=0", "no colours"),
        ("CLICOLOR_FORCE", "colours in a pipe too"),
        ("RUST_LOG", "what is logged"),
    ];
    let others = others.map(|(name, meaning)| (name.to_owned(), meaning.to_owned()));
    for (name, meaning) in own.into_iter().chain(others) {
        let _ = writeln!(text, "  {name:<26}{meaning}");
    }
    text
}

fn formatting() -> String {
    "Data goes to stdout, everything else to stderr; tables are never cut in a pipe.

  -o table            for people
  -o json, yaml       the answer, with the names of the API
  -o jsonl            one line of JSON for each
  -o csv              one line for each; nested fields have dots in their names
  -o md               the table in Markdown
  -o name             ids and names alone: accelbench query -o name | accelbench compare -
  --json FIELD,...    JSON with these fields alone: --json model,metrics.ttft_p95_ms
  --jq EXPRESSION     what a jq expression makes of the JSON; texts come without quotes"
        .to_owned()
}
