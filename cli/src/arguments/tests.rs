//! The grammar, its examples, and its help as people read it in 80 columns.

use clap::FromArgMatches as _;

use super::{Arguments, examples, grammar};

/// Every command with the words that lead to it.
fn every_command(command: &clap::Command, path: &[String], each: &mut dyn FnMut(&[String], &clap::Command)) {
    each(path, command);
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        every_command(inner, &[path, &[inner.get_name().to_owned()]].concat(), each);
    }
}

#[test]
fn the_command_line_is_free_of_contradictions() {
    grammar().debug_assert();
}

#[test]
fn every_example_is_understood() {
    for example in examples::ALL.iter().flat_map(|(_, examples)| examples.iter()) {
        for command in examples::commands(example) {
            let parsed =
                grammar().try_get_matches_from(&command).and_then(|it| Arguments::from_arg_matches(&it));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }
}

/// The commands of documents that are for the reader to copy.
#[test]
fn the_documents_speak_this_grammar() {
    let documents = [
        include_str!("../../../docs/cli.md"),
        include_str!("../../../docs/ci.md"),
        include_str!("../../../docs/ci/benchmark.yml"),
    ];
    let text = documents.join("\n").replace("\\\n", " ");
    let calls: Vec<&str> =
        text.lines().map(str::trim).filter(|line| line.starts_with("accelbench ")).collect();
    assert!(calls.len() > 10, "{calls:?}");
    for call in calls {
        let call = call
            .split("  #")
            .next()
            .unwrap_or(call)
            .replace('"', "'")
            .replace("$ENDPOINT", "http://endpoint");
        let call = call.replace(" RESULT", " 0199f5a2-0000-7000-8000-000000000000");
        for command in examples::commands(&call.split_whitespace().collect::<Vec<_>>().join(" ")) {
            let parsed = grammar().try_get_matches_from(&command);
            assert!(parsed.is_ok(), "{call}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn every_command_has_an_example() {
    every_command(&grammar(), &[], &mut |path, command| {
        if !command.has_subcommands() {
            let name = path.join(" ");
            assert!(examples::ALL.iter().any(|(of, _)| *of == name), "`accelbench {name}` has no example");
        }
    });
}

#[test]
fn help_reads_well_in_80_columns() {
    let mut grammar = grammar().term_width(80);
    grammar.build();
    every_command(&grammar, &[], &mut |path, command| {
        let text = command.clone().term_width(80).render_long_help().to_string();
        // Examples and usages are for copying: they are not broken.
        let is_whole = |line: &str| line.starts_with("  accelbench ") || line.starts_with("Usage: ");
        let long = text.lines().find(|line| line.chars().count() > 80 && !is_whole(line));
        assert_eq!(long, None, "{path:?}");
        let name = if path.is_empty() { "accelbench".to_owned() } else { path.join("_") };
        insta::with_settings!({snapshot_path => "../../snapshots/help", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("help_{name}"), text);
        });
    });
}
