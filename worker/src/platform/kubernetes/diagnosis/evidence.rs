//! What foreign programs said, made fit for a sentence.

/// Longest quotation in a sentence, in characters.
const MOST_CHARACTERS: usize = 300;

/// A text as one short line.
pub(super) fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST_CHARACTERS {
        return line;
    }
    line.chars().take(MOST_CHARACTERS).chain("…".chars()).collect()
}

/// The last line that is an error, otherwise the last that says anything.
pub(super) fn last_words(log: &str) -> String {
    // What an interpreter says before it ends: `ValueError: …`, `torch.OutOfMemoryError: …`, `error: …`.
    let names_an_error =
        |line: &&str| line.contains("Error: ") || line.contains("error: ") || line.contains("panicked at");
    let spoken = || log.lines().rev().filter(|line| !line.trim().is_empty());
    match spoken().find(names_an_error).or_else(|| spoken().next()) {
        Some(line) => format!("its last words: {}", quote(line)),
        None => "it said nothing".to_owned(),
    }
}

/// Whether a text holds any of the marks, however they are capitalised.
pub(super) fn holds_any(text: &str, marks: &[&str]) -> bool {
    let text = text.to_lowercase();
    marks.iter().any(|mark| text.contains(mark))
}
