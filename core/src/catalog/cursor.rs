//! Where a page of the catalog ends. A cursor is opaque to whoever carries it; it names the question that it belongs to,
//! so that it cannot go on with another one, and the moment whose prices count, so that a refresh of the prices does not
//! shuffle the pages that are still to come.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::Sha256Hex;
use crate::result::ResultId;

/// The end of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// What tells the question from others.
    question: String,
    /// The prices of this moment count.
    pub priced_at: DateTime<Utc>,
    /// The last item of the page.
    pub position: Position,
}

/// The place of an item in an order. Those whose value is unknown come after all others, by their identity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// By when it was recorded.
    Recorded(DateTime<Utc>, ResultId),
    /// By its value.
    Value(f64, ResultId),
    /// By its cost, and of equal costs by the throughput that it is computed from.
    Cost(f64, f64, ResultId),
    /// Its value is not known.
    Unknown(ResultId),
}

/// Why a text goes on with nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCursor {
    /// It was not made here.
    #[error(
        "the cursor cannot be read; give `next_cursor` of the page before as it is, or leave it out for the first page"
    )]
    Unreadable,
    /// It was made for another question.
    #[error(
        "the cursor belongs to another question; keep filters, order and prices as they were, or leave it out for the first page"
    )]
    OtherQuestion,
}

impl Cursor {
    /// The end of a page of the answer to `question`, a text that differs whenever filters, order or prices do.
    #[must_use]
    pub fn new(question: &str, priced_at: DateTime<Utc>, position: Position) -> Self {
        Self { question: digest(question), priced_at, position }
    }

    /// Makes sure that the cursor goes on with this question.
    ///
    /// # Errors
    /// [`InvalidCursor::OtherQuestion`].
    pub fn check(&self, question: &str) -> Result<(), InvalidCursor> {
        if self.question == digest(question) { Ok(()) } else { Err(InvalidCursor::OtherQuestion) }
    }
}

/// Enough of a hash to notice a mistake; a cursor guards nothing.
fn digest(question: &str) -> String {
    Sha256Hex::of(question.as_bytes()).as_str()[..12].to_owned()
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_no_json| fmt::Error)?;
        formatter.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_no_base64| InvalidCursor::Unreadable)?;
        serde_json::from_slice(&json).map_err(|_no_cursor| InvalidCursor::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use proptest::prelude::{prop_assert_eq, proptest};
    use uuid::Uuid;

    use super::{Cursor, InvalidCursor, Position};
    use crate::result::ResultId;

    #[test]
    fn a_cursor_goes_on_with_its_own_question_alone() {
        let cursor = Cursor::new("cheapest", Utc::now(), Position::Unknown(ResultId(Uuid::nil())));
        assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
        assert_eq!(cursor.check("cheapest"), Ok(()));
        assert_eq!(cursor.check("fastest"), Err(InvalidCursor::OtherQuestion));
    }

    #[test]
    fn foreign_texts_are_refused() {
        for text in ["", "x", "e30", "!", "eyJxdWVzdGlvbiI6IiJ9"] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor::Unreadable), "{text}");
        }
    }

    proptest! {
        #[test]
        fn values_come_back_to_the_last_bit(value in 1e-12_f64..1e12, throughput in 1e-3_f64..1e9) {
            let position = Position::Cost(value, throughput, ResultId(Uuid::nil()));
            let cursor = Cursor::new("", Utc::now(), position);
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap().position, position);
        }
    }
}
