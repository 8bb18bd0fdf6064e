//! Colours: on a terminal only, and never against a person's wish (NO_COLOR, --no-color, CLICOLOR_FORCE).

use std::env;
use std::io::{IsTerminal as _, stdout};
use std::sync::OnceLock;

use comfy_table::{Cell, Color};

static WANTED: OnceLock<bool> = OnceLock::new();

/// Says once, at the start, that nobody wants colours.
pub(crate) fn forbid() {
    // A second choice in one process does not come.
    let _ = WANTED.set(false);
}

pub(super) fn are_wanted() -> bool {
    *WANTED.get_or_init(|| {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        if set("NO_COLOR") || env::var("CLICOLOR").is_ok_and(|value| value == "0") {
            return false;
        }
        stdout().is_terminal()
            || (set("CLICOLOR_FORCE") && env::var("CLICOLOR_FORCE").is_ok_and(|it| it != "0"))
    })
}

/// A cell with a word that says how something came out.
pub(crate) fn word(word: &str) -> Cell {
    let colour = match word {
        "pass" | "succeeded" | "best" => Some(Color::Green),
        "warn" | "cancelled" => Some(Color::Yellow),
        "fail" | "failed" => Some(Color::Red),
        _ => None,
    };
    colour.into_iter().fold(Cell::new(word), Cell::fg)
}
