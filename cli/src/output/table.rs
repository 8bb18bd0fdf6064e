//! Tables as text. In a pipe they are neither coloured nor cut.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{Attribute, Cell, Table};

use super::records::{self, Record};
use super::{View, colour};
use crate::tables::plain;

/// What people read, as text; a table may be one of Markdown.
pub(super) fn text(view: View, is_markdown: bool) -> String {
    let mut table = match view {
        View::Text(text) => return text,
        View::Table(table) => *table,
    };
    if is_markdown {
        table.load_style(ASCII_MARKDOWN);
    }
    if !is_markdown && colour::are_wanted() {
        let head: Vec<Cell> = table
            .header()
            .into_iter()
            .flat_map(|row| row.cell_iter())
            .map(|cell| Cell::new(cell.content()).add_attribute(Attribute::Bold))
            .collect();
        table.set_header(head).enforce_styling();
    } else {
        table.force_no_tty();
    }
    // The last column is filled up with spaces, which nobody wants in a pipe.
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Records as a table.
pub(super) fn of(records: &[Record], fields: &[String]) -> Table {
    let head = records::head(records, fields);
    let mut table = plain(&head);
    for record in records {
        table.add_row(records::line(record, &head));
    }
    table
}
