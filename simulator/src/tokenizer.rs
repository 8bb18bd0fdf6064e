//! The simulator's tokenizer: a pure function, so that prompt lengths can be counted without a model. A token is a run
//! of whole characters of at most 4 bytes, cut greedily from the left; English comes out at 4 characters a token.
//!
//! Ids are injective: a run of 4 bytes is its big-endian value; a shorter one is marked by its first byte, which no
//! UTF-8 text can have. Every answer is made of runs of exactly 4 bytes, so its text counts as many tokens as it says.

const LONGEST_PIECE_BYTES: usize = 4;
/// Marks of pieces of 1, 2 and 3 bytes in the highest byte of an id; UTF-8 has no such byte.
const SHORT_PIECE_MARKS: [u32; 3] = [0xF9, 0xFA, 0xFB];

/// What the simulated model says: 4 bytes each.
const VOCABULARY: [&str; 32] = [
    " the", " and", " for", " was", " not", " are", " but", " had", " all", " any", " one", " our", " out",
    " day", " way", " man", " sea", " sun", " old", " new", " two", " far", " saw", " ran", " sat", " cat",
    " fox", " red", " sky", " ice", " oak", " why",
];

/// The ids of the tokens of `text`, in order.
#[must_use]
pub fn tokenize(text: &str) -> Vec<u32> {
    pieces(text).map(id_of).collect()
}

/// The number of tokens of `text`.
#[must_use]
pub fn count(text: &str) -> usize {
    pieces(text).count()
}

/// The text of the output token that the random `choice` picks.
#[must_use]
pub(crate) fn output_piece(choice: u64) -> &'static str {
    VOCABULARY[choice as usize % VOCABULARY.len()]
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_PIECE_BYTES));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn id_of(piece: &str) -> u32 {
    let value = piece.bytes().fold(0, |value, byte| (value << 8) | u32::from(byte));
    match SHORT_PIECE_MARKS.get(piece.len() - 1) {
        Some(mark) => (mark << 24) | value,
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::{any, proptest};

    use super::{VOCABULARY, count, output_piece, pieces, tokenize};

    #[test]
    fn english_is_four_characters_a_token() {
        assert_eq!(count("Hello there, tell me a story"), 7);
        assert_eq!(tokenize("abcd"), [0x6162_6364]);
        assert_eq!(tokenize("abcde"), [0x6162_6364, 0xF900_0065]);
        assert_eq!(count(""), 0);
    }

    #[test]
    fn characters_are_never_split() {
        assert_eq!(pieces("aé€😀b").collect::<Vec<_>>(), ["aé", "€", "😀", "b"]);
    }

    #[test]
    fn an_answer_counts_as_many_tokens_as_it_says() {
        assert!(VOCABULARY.iter().all(|piece| piece.len() == 4));
        let answer: String = (0..1000).map(output_piece).collect();
        assert_eq!(count(&answer), 1000);
    }

    proptest! {
        #[test]
        fn different_pieces_have_different_ids(text in any::<String>()) {
            let mut seen = HashMap::new();
            for (piece, id) in pieces(&text).zip(tokenize(&text)) {
                assert_eq!(*seen.entry(id).or_insert(piece), piece);
            }
            assert_eq!(pieces(&text).collect::<String>(), text);
        }
    }
}
